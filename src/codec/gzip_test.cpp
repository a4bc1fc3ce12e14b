#include "codec/gzip.h"

#include <gtest/gtest.h>

namespace tidemark::codec {
namespace {

// The check values of the catalogue of CRC algorithms.
TEST(Crc64, IsXz) {
  EXPECT_EQ(Crc64(0, AsBytes("123456789")), 0x995dc9bbdf1939faU);
  EXPECT_EQ(Crc64(Crc64(0, AsBytes("1234")), AsBytes("56789")), 0x995dc9bbdf1939faU);
  EXPECT_EQ(Crc64(0, {}), 0U);
}

TEST(Crc32, IsThatOfGzip) {
  EXPECT_EQ(Crc32(AsBytes("123456789")), 0xcbf43926U);
  EXPECT_EQ(Crc32({}), 0U);
}

}  // namespace
}  // namespace tidemark::codec
