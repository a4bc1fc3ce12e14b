#include "codec/codec.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/caught_error.h"

namespace tidemark::codec {
namespace {

AeadKey MakeKey() {
  AeadKey key;
  SeededRandom(7).Fill(key);
  return key;
}

Bytes MakeText(std::size_t size) {
  const std::string_view pattern = "the tide comes in, the tide goes out; ";
  Bytes text;
  while (text.size() < size) {
    text.push_back(static_cast<std::uint8_t>(pattern[text.size() % pattern.size()]));
  }
  return text;
}

constexpr std::string_view kNotAuthentic =
    "opening sealed bytes: key, associated data or content is not what was sealed";

// A source that gives the same byte for ever.
class ConstantRandom final : public RandomSource {
 public:
  explicit ConstantRandom(std::uint8_t byte) : byte_(byte) {}

  void Fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, byte_); }

 private:
  std::uint8_t byte_;
};

}  // namespace

TEST(Sha256, MatchesPublishedVectors) {
  EXPECT_EQ(HexEncode(Sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexEncode(Sha256(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HmacSha256, MatchesRfc4231) {
  EXPECT_EQ(HexEncode(HmacSha256(AsBytes("Jefe"), AsBytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexEncode(HmacSha256(Bytes(20, 0x0b), AsBytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(
      HexEncode(HmacSha256(Bytes(131, 0xaa),
                           AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, EmptyKeyIsNotTheKeyOfTheLastCall) {
  HmacSha256(AsBytes("some key"), AsBytes("text"));
  EXPECT_EQ(HexEncode(HmacSha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Sha1, MatchesRfc3174) {
  EXPECT_EQ(HexEncode(Sha1(AsBytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Md5Hex, MatchesRfc1321) {
  EXPECT_EQ(Md5Hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Md5Hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(DeriveFromPassphrase, MatchesRfc7914) {
  EXPECT_EQ(HexEncode(DeriveFromPassphrase("pleaseletmein", AsBytes("SodiumChloride"), 14)),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST(Seal, MatchesThePublishedGcmVector) {
  // Test case 14 of the GCM specification: zero key, zero nonce, 16 zero bytes.
  ConstantRandom zeros(0);
  const Bytes sealed = Seal(AeadKey{}, {}, Bytes(16), zeros);
  EXPECT_EQ(HexEncode(sealed),
            "000000000000000000000000"
            "cea7403d4d606b6e074ec5d3baf39d18"
            "d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(Seal, OpensToThePlaintextAtEverySize) {
  const AeadKey key = MakeKey();
  SeededRandom random(1);
  for (const std::size_t size : {0, 1, 15, 16, 17, 4096, 100000}) {
    const Bytes plain = MakeText(size);
    const Bytes sealed = Seal(key, AsBytes("chunk"), plain, random);
    EXPECT_EQ(sealed.size(), size + kSealOverhead);
    EXPECT_EQ(Open(key, AsBytes("chunk"), sealed), plain);
  }
}

TEST(Seal, TakesAFreshNonceForEveryMessage) {
  const AeadKey key = MakeKey();
  SeededRandom random(1);
  const Bytes plain = MakeText(32);
  EXPECT_NE(Seal(key, {}, plain, random), Seal(key, {}, plain, random));
}

TEST(Open, RefusesEveryFlippedBit) {
  const AeadKey key = MakeKey();
  SeededRandom random(1);
  const Bytes sealed = Seal(key, AsBytes("a"), MakeText(20), random);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes damaged = sealed;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1U << bit % 8);
    const Error error = Catch([&] { Open(key, AsBytes("a"), damaged); });
    ASSERT_EQ(error.code(), ErrorCode::kCorrupt) << "bit " << bit;
    ASSERT_EQ(error.message(), kNotAuthentic);
  }
}

TEST(Open, RefusesAnotherKeyAndOtherAssociatedData) {
  AeadKey key = MakeKey();
  SeededRandom random(1);
  const Bytes sealed = Seal(key, AsBytes("pack 1"), MakeText(20), random);
  EXPECT_EQ(Catch([&] { Open(key, AsBytes("pack 2"), sealed); }).message(), kNotAuthentic);
  EXPECT_EQ(Catch([&] { Open(key, {}, sealed); }).message(), kNotAuthentic);
  key[31] ^= 1;
  EXPECT_EQ(Catch([&] { Open(key, AsBytes("pack 1"), sealed); }).message(), kNotAuthentic);
}

TEST(Open, RefusesEveryTruncation) {
  const AeadKey key = MakeKey();
  SeededRandom random(1);
  const Bytes sealed = Seal(key, {}, MakeText(5), random);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    const Error error = Catch([&] { Open(key, {}, ByteView(sealed).first(size)); });
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  }
  EXPECT_EQ(Catch([&] { Open(key, {}, Bytes(27)); }).message(),
            "opening sealed bytes: 27 bytes are too few to be sealed");
}

TEST(Open, StillWorksAfterARefusalOnTheSameThread) {
  const AeadKey key = MakeKey();
  SeededRandom random(1);
  const Bytes sealed = Seal(key, {}, MakeText(40), random);
  Catch([&] { Open(key, AsBytes("wrong"), sealed); });
  EXPECT_EQ(Open(key, {}, sealed), MakeText(40));
}

TEST(Compress, RoundTripsAtEveryLevelItTakes) {
  const Bytes plain = MakeText(50000);
  for (const int level : {1, 3, 9, 19}) {
    const Bytes compressed = Compress(plain, level);
    EXPECT_LT(compressed.size(), plain.size() / 20);
    EXPECT_EQ(Decompress(compressed, plain.size()), plain);
  }
  EXPECT_EQ(Decompress(Compress({}, 3), 0), Bytes());
}

TEST(Compress, KeepsBytesThatDoNotCompress) {
  Bytes noise(100000);
  SeededRandom(3).Fill(noise);
  EXPECT_EQ(Decompress(Compress(noise, 3), noise.size()), noise);
}

TEST(Compress, GivesTheSameBytesOnEveryThread) {
  const Bytes plain = MakeText(200000);
  const Bytes here = Compress(plain, 3);
  Compress(MakeText(100), 19);  // another level on this thread in between
  Bytes there;
  std::thread([&] { there = Compress(plain, 3); }).join();
  EXPECT_EQ(here, there);
  EXPECT_EQ(here, Compress(plain, 3));
}

TEST(Compress, RefusesALevelOutOfRange) {
  for (const int level : {0, 20, -5}) {
    const Error error = Catch([&] { Compress({}, level); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.message(), "compressing: level " + std::to_string(level) + " is not in 1..19");
  }
}

TEST(Decompress, RefusesAnotherContentSize) {
  const Bytes compressed = Compress(MakeText(1000), 3);
  for (const std::size_t size : {std::size_t{0}, std::size_t{999}, std::size_t{1001}}) {
    const Error error = Catch([&] { Decompress(compressed, size); });
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    EXPECT_EQ(error.message(),
              "decompressing: content is 1000 bytes, expected " + std::to_string(size));
  }
}

TEST(Decompress, RefusesWhatIsNotOneFrame) {
  const Bytes plain = MakeText(1000);
  const Bytes compressed = Compress(plain, 3);
  Bytes longer = compressed;
  longer.push_back(0);
  EXPECT_EQ(Catch([&] { Decompress(longer, plain.size()); }).message(),
            "decompressing: bytes follow the zstd frame");
  EXPECT_EQ(Catch([&] { Decompress(AsBytes("not zstd at all"), 4); }).message(),
            "decompressing: not a zstd frame with a content size");
  for (std::size_t size = 0; size < compressed.size(); ++size) {
    const Error error = Catch([&] { Decompress(ByteView(compressed).first(size), plain.size()); });
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    EXPECT_THAT(std::string(error.message()), testing::StartsWith("decompressing: "));
  }
}

TEST(Codec, WorksFromManyThreadsAtOnce) {
  const AeadKey key = MakeKey();
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([&key, i] {
      SeededRandom random(i);
      const Bytes plain = MakeText(1000 + i);
      for (int round = 0; round < 50; ++round) {
        const Bytes sealed = Seal(key, {}, Compress(plain, 1), random);
        EXPECT_EQ(Decompress(Open(key, {}, sealed), plain.size()), plain);
        EXPECT_EQ(HmacSha256(key, plain), HmacSha256(key, plain));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace tidemark::codec
