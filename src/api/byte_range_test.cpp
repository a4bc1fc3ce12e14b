#include "api/internal/byte_range.h"

#include <gtest/gtest.h>

namespace tidemark::api {
namespace {

TEST(ParseByteRange, TakesTheThreeForms) {
  EXPECT_EQ(ParseByteRange("bytes=0-499"), (ByteRange{0, 499}));
  EXPECT_EQ(ParseByteRange("bytes=500-"), (ByteRange{500, std::nullopt}));
  EXPECT_EQ(ParseByteRange("bytes=-500"), (ByteRange{std::nullopt, 500}));
  EXPECT_EQ(ParseByteRange(" Bytes= 7-7 "), (ByteRange{7, 7}));
  EXPECT_EQ(ParseByteRange("bytes=0-18446744073709551615"), (ByteRange{0, UINT64_MAX}));
}

TEST(ParseByteRange, IgnoresTheRest) {
  for (const char* text : {"",
                           "bytes",
                           "bytes=",
                           "bytes=-",
                           "bytes=5",
                           "bytes=5-4",
                           "bytes=a-b",
                           "bytes=1-2,4-5",
                           "bytes=+1-2",
                           "bytes=1--2",
                           "bytes=18446744073709551616-",
                           "lines=1-2",
                           "bytes 1-2/3"}) {
    EXPECT_FALSE(ParseByteRange(text)) << text;
  }
}

TEST(ResolveByteRange, StaysWithinTheBytes) {
  EXPECT_EQ(Resolve({2, 5}, 10), (ByteSpan{2, 5}));
  EXPECT_EQ(Resolve({2, {}}, 10), (ByteSpan{2, 9}));
  EXPECT_EQ(Resolve({2, 99}, 10), (ByteSpan{2, 9}));
  EXPECT_EQ(Resolve({{}, 3}, 10), (ByteSpan{7, 9}));
  EXPECT_EQ(Resolve({{}, 30}, 10), (ByteSpan{0, 9}));
}

TEST(ResolveByteRange, WhatHoldsNoByteIsNone) {
  EXPECT_FALSE(Resolve({10, {}}, 10));
  EXPECT_FALSE(Resolve({{}, 0}, 10));
  EXPECT_FALSE(Resolve({0, {}}, 0));
  EXPECT_FALSE(Resolve({{}, 5}, 0));
}

}  // namespace
}  // namespace tidemark::api
