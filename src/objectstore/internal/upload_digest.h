#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "codec/stream_hash.h"

namespace tidemark::objectstore {

// What an upload should look like once it is stored: size, SHA-256, and the ETag that S3 gives an
// object that it encrypts with nothing or its own keys: the MD5, or for an object of parts the MD5
// of the parts' MD5 and their number. Confined.
class UploadDigest {
 public:
  void Add(ByteView bytes);
  // The part that `bytes` (added, too) is.
  void AddPart(ByteView bytes);

  std::uint64_t size() const { return size_; }

  // Each once.
  std::string TakeChecksum();
  std::string TakeEtag();

 private:
  codec::StreamHash sha256_{codec::StreamHashKind::kSha256};
  codec::StreamHash md5_{codec::StreamHashKind::kMd5};
  codec::StreamHash md5_of_parts_{codec::StreamHashKind::kMd5};
  std::uint64_t size_ = 0;
  int parts_ = 0;
};

}  // namespace tidemark::objectstore
