#include "objectstore/internal/upload_digest.h"

namespace tidemark::objectstore {

void UploadDigest::Add(ByteView bytes) {
  sha256_.Add(bytes);
  if (parts_ == 0) {
    md5_.Add(bytes);
  }
  size_ += bytes.size();
}

void UploadDigest::AddPart(ByteView bytes) {
  codec::StreamHash part(codec::StreamHashKind::kMd5);
  part.Add(bytes);
  md5_of_parts_.Add(part.Take());
  ++parts_;
}

std::string UploadDigest::TakeChecksum() {
  return HexEncode(sha256_.Take());
}

std::string UploadDigest::TakeEtag() {
  return parts_ == 0 ? HexEncode(md5_.Take())
                     : HexEncode(md5_of_parts_.Take()) + "-" + std::to_string(parts_);
}

}  // namespace tidemark::objectstore
