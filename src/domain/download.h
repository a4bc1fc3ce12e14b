#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace tidemark::domain {

inline constexpr std::int64_t kUnlimitedDownloads = 2147483647;  // contract.md 7.3
// How long after its last byte a download that broke off may be gone on with (contract.md 9).
inline constexpr std::chrono::hours kContinueWithin{1};

// What a restore job with DeliveryMethod::kDownload has beside the rest: links to one archive, good
// until RestoreJob::expires. Whoever has the key may fetch it.
struct Download {
  std::string key_hash;    // SHA-256 of the key, lower-case hex: what a request is compared with
  std::string sealed_key;  // the key, sealed by the repository: what links are made of
  std::string file_name;   // of the archive
  std::int64_t expiration_hours = 0;
  std::int64_t max_downloads = kUnlimitedDownloads;
  std::int64_t complete = 0;  // downloads that have got the last byte
  // Of the archive, once somebody has packed all of it.
  std::optional<std::uint64_t> size;  // bytes
  std::string sha1;                   // lower-case hex
};

enum class DownloadState { kReady, kUsedUp, kExpired };

DownloadState StateOf(const Download& download, Instant expires, Instant now);

}  // namespace tidemark::domain
