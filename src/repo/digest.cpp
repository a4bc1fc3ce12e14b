#include "repo/repository.h"

namespace tidemark::repo {
namespace {

// a += b, both 256-bit little-endian numbers; the carry out of the last byte is dropped.
void AddLittleEndian(codec::Digest& a, const codec::Digest& b) {
  unsigned carry = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    carry += unsigned{a[i]} + unsigned{b[i]};
    a[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
}

}  // namespace

void NamespaceDigest::Add(ByteView document) {
  AddHash(codec::Sha256(document));
}

void NamespaceDigest::AddHash(const codec::Digest& hash) {
  ++documents;
  AddLittleEndian(sum, hash);
}

void NamespaceDigest::Merge(const NamespaceDigest& other) {
  documents += other.documents;
  AddLittleEndian(sum, other.sum);
}

std::vector<codec::Digest> HashDocuments(ByteView plain) {
  std::vector<codec::Digest> hashes;
  while (!plain.empty()) {
    const std::size_t size = bson::FrontDocumentSize(plain);
    hashes.push_back(codec::Sha256(plain.first(size)));
    plain = plain.subspan(size);
  }
  return hashes;
}

std::string NamespaceDigest::ToHex() const {
  return HexEncode(sum);
}

}  // namespace tidemark::repo
