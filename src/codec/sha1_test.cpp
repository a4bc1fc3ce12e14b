#include "codec/sha1.h"

#include <gtest/gtest.h>

namespace tidemark::codec {
namespace {

// FIPS 180-4, examples.
TEST(Sha1Hash, IsThatOfTheStandard) {
  EXPECT_EQ(Sha1Hash().TakeHex(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  Sha1Hash pieces;
  pieces.Add(AsBytes("a"));
  pieces.Add({});
  pieces.Add(AsBytes("bc"));
  EXPECT_EQ(pieces.TakeHex(), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

}  // namespace
}  // namespace tidemark::codec
