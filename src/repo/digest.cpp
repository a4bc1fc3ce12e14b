#include "repo/repository.h"

namespace tidemark::repo {
namespace {

// a += b, both 256-bit little-endian numbers; the carry out of the last byte is dropped.
void AddLittleEndian(codec::Digest& a, const codec::Digest& b) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < a.size(); i += sizeof(std::uint64_t)) {
    const std::uint64_t left = LoadLe64(a.data() + i);
    const std::uint64_t with_carry = left + carry;
    const std::uint64_t sum = with_carry + LoadLe64(b.data() + i);
    carry = static_cast<std::uint64_t>(with_carry < left) +
            static_cast<std::uint64_t>(sum < with_carry);
    StoreLe64(a.data() + i, sum);
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
