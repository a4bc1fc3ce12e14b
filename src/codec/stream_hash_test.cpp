#include "codec/stream_hash.h"

#include <gtest/gtest.h>

#include "codec/codec.h"

namespace tidemark::codec {
namespace {

TEST(StreamHash, PiecesGiveTheHashOfTheWhole) {
  const std::string text = "Welcome to Amazon S3.";
  StreamHash md5(StreamHashKind::kMd5);
  StreamHash sha256(StreamHashKind::kSha256);
  for (const char& c : text) {
    md5.Add(AsBytes(std::string_view(&c, 1)));
    sha256.Add(AsBytes(std::string_view(&c, 1)));
  }
  EXPECT_EQ(HexEncode(md5.Take()), Md5Hex(text));
  EXPECT_EQ(HexEncode(sha256.Take()), HexEncode(Sha256(AsBytes(text))));
}

TEST(StreamHash, OfNothingIsKnown) {
  EXPECT_EQ(HexEncode(StreamHash(StreamHashKind::kMd5).Take()), "d41d8cd98f00b204e9800998ecf8427e");
}

}  // namespace
}  // namespace tidemark::codec
