#include "codec/gunzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/error.h"

namespace tidemark::codec {
namespace {

Bytes Pack(ByteView plain) {
  z_stream stream{};
  TIDEMARK_CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, plain.size()) + 64);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  TIDEMARK_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

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
  const Bytes packed = Pack(plain);
  for (const std::size_t in : {1U, 7U, 100'000U}) {
    for (const std::size_t out : {1U, 13U, 100'000U}) {
      EXPECT_EQ(Unpack(packed, in, out), plain) << in << " " << out;
    }
  }
}

TEST(Gunzip, SeveralMembersAreOneStream) {
  Bytes packed = Pack(Text(1000));
  const Bytes empty = Pack({});
  const Bytes second = Pack(Text(500));
  packed.insert(packed.end(), empty.begin(), empty.end());
  packed.insert(packed.end(), second.begin(), second.end());
  Bytes plain = Text(1000);
  const Bytes rest = Text(500);
  plain.insert(plain.end(), rest.begin(), rest.end());
  EXPECT_EQ(Unpack(packed, 3, 64), plain);
}

TEST(Gunzip, EveryTruncationIsSeen) {
  const Bytes packed = Pack(Text(300));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_EQ(Unpack(ByteView(packed).first(size), 64, 64), std::nullopt) << size;
  }
}

TEST(Gunzip, DamageAndWhatStandsBehindAreRefused) {
  Bytes packed = Pack(Text(300));
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
