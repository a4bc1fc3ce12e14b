#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/api.h"
#include "api/internal/call.h"
#include "http/message.h"

// Fetching archives: the one place besides /healthz that needs no credentials, since the key in the
// link is one (contract.md 7.3 and 9).
namespace tidemark::api {

inline constexpr std::string_view kRestoreKeyHeader = "X-Restore-Key";

bool IsDownloadPath(std::string_view path);

// GET and HEAD of an archive. Throws what is neither a refusal nor an Error.
http::Response AnswerDownload(const ApiParts& parts, const http::Request& request);

// "READY", "MAX_DOWNLOADS_EXCEEDED", "EXPIRED": statusName of a legacy job's delivery.
std::string_view DownloadStateName(domain::DownloadState state);

// The links of a download: with the key in the path, and without it.
struct DownloadLinks {
  std::string with_key;
  std::string without_key;
  std::string key;
};

// REQUIRES: the job is a download.
DownloadLinks LinksOf(const Call& call, const domain::RestoreJob& job);

// Whether the caller could have asked for the download: others do not see what lets them fetch it
// (contract.md 7.3).
bool MaySeeLinks(const Call& call, const domain::RestoreJob& job);

// The stream as HTTP wants it.
std::unique_ptr<http::BodySource> MakeBodySource(std::unique_ptr<service::ArchiveStream> stream);

}  // namespace tidemark::api
