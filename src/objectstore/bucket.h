#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/bytes.h"

// Other people's object storage, as a place that whole objects are put into.
namespace tidemark::objectstore {

inline constexpr std::size_t kMaxKey = 1024;  // bytes of UTF-8, S3's bound

// 3 to 63 letters, digits, '.', '_' and '-', letter or digit at both ends, no "..": a name that
// every provider takes, and one component of a path.
bool IsBucketName(std::string_view name);

// One object on its way. It exists under its key when Finish returns, whole, and not before; what
// is destroyed without that is given up. Confined.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual void Write(ByteView bytes) = 0;

  struct Result {
    std::uint64_t size = 0;  // bytes
    std::string checksum;    // SHA-256, lower-case hex
  };

  // Ends the object, then asks the store what it holds and compares: kCorrupt when that is not what
  // was written. May be called once.
  virtual Result Finish() = 0;
};

// One bucket. Synchronized; every call blocks, and tries again what may get better (kUnavailable,
// kTimeout) a few times. Errors name bucket and key, never a secret. kPermissionDenied and
// kNotFound (the bucket) are final; kCancelled when stopped.
class Bucket {
 public:
  virtual ~Bucket() = default;
  // Replaces an object of that key. REQUIRES: a key of at most kMaxKey bytes whose components are
  // neither empty nor "." nor "..". The bucket must outlive the result.
  virtual std::unique_ptr<Upload> Begin(const std::string& key, const std::stop_token& stop) = 0;
  // Small ones, in one call.
  Upload::Result Put(const std::string& key, ByteView bytes, const std::stop_token& stop);
  virtual bool Exists(const std::string& key, const std::stop_token& stop) = 0;
  // Calls `visit` with the object's bytes from its front; kNotFound.
  virtual void Read(const std::string& key,
                    const std::stop_token& stop,
                    const std::function<void(ByteView bytes)>& visit) = 0;
  // Repeating it is no error.
  virtual void Delete(const std::string& key, const std::stop_token& stop) = 0;
  // Frees what uploads below `prefix` have left that died with their process. REQUIRES: none of
  // them is at work.
  virtual void DropUploads(const std::string& prefix, const std::stop_token& stop) = 0;
};

// A bucket that is the folder `name`, a path below `root`; keys are paths below it. Objects are
// durable when Finish returns, and so are the folders from `root` down to them, whoever has made
// them. Makes folders that are missing; `root` itself had better be there.
std::unique_ptr<Bucket> OpenDirectoryBucket(const std::filesystem::path& root,
                                            const std::filesystem::path& name);

}  // namespace tidemark::objectstore
