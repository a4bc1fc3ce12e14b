#include "codec/gunzip.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/gzip_files.h"

namespace tidemark::codec {
namespace {

Bytes Text(std::size_t size) {
  Bytes text(size);
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<std::uint8_t>('a' + i * i % 23);
  }
  return text;
}

// In pieces of those sizes; nullopt when the stream does not end behind a member.
std::optional<Bytes> Unpack(ByteView packed, std::size_t in, std::size_t out) {
  Gunzip gunzip;
  Bytes plain;
  Bytes piece(out);
  while (!packed.empty()) {
    const Gunzip::Step step = gunzip.Run(packed.first(std::min(in, packed.size())), piece);
    EXPECT_GT(step.taken + step.given, 0U);
    plain.insert(plain.end(), piece.begin(), piece.begin() + static_cast<int>(step.given));
    packed = packed.subspan(step.taken);
  }
  return gunzip.AtEndOfMember() ? std::optional(plain) : std::nullopt;
}

TEST(Gunzip, PiecesOfAnySize) {
  const Bytes plain = Text(10'000);
  const Bytes packed = PackGzip(plain);
  for (const std::size_t in : {1U, 7U, 100'000U}) {
    for (const std::size_t out : {1U, 13U, 100'000U}) {
      EXPECT_EQ(Unpack(packed, in, out), plain) << in << " " << out;
    }
  }
}

TEST(Gunzip, SeveralMembersAreOneStream) {
  Bytes packed = PackGzip(Text(1000));
  const Bytes empty = PackGzip({});
  const Bytes second = PackGzip(Text(500));
  packed.insert(packed.end(), empty.begin(), empty.end());
  packed.insert(packed.end(), second.begin(), second.end());
  Bytes plain = Text(1000);
  const Bytes rest = Text(500);
  plain.insert(plain.end(), rest.begin(), rest.end());
  EXPECT_EQ(Unpack(packed, 3, 64), plain);
}

TEST(Gunzip, EveryTruncationIsSeen) {
  const Bytes packed = PackGzip(Text(300));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_EQ(Unpack(ByteView(packed).first(size), 64, 64), std::nullopt) << size;
  }
}

TEST(Gunzip, DamageAndWhatStandsBehindAreRefused) {
  Bytes packed = PackGzip(Text(300));
  Bytes damaged = packed;
  damaged[damaged.size() - 6] ^= 1U;  // its CRC-32
  EXPECT_THROW(Unpack(damaged, 64, 64), Error);
  packed.push_back('x');
  packed.push_back('y');
  EXPECT_THROW(Unpack(packed, 1000, 1000), Error);
  EXPECT_THROW(Unpack(AsBytes("no gzip at all"), 64, 64), Error);
}

}  // namespace
}  // namespace tidemark::codec
