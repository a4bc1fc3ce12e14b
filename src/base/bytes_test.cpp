#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "base/units.h"

namespace tidemark {
namespace {

void ExpectRefused(Bytes (*decode)(std::string_view),
                   std::string_view text,
                   std::string_view message) {
  try {
    decode(text);
    ADD_FAILURE() << text << " was decoded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.message(), message) << text;
  }
}

}  // namespace

TEST(Hex, EncodesLowerCaseAndDecodesEither) {
  EXPECT_EQ(HexEncode(Bytes{0x00, 0x9f, 0xff}), "009fff");
  EXPECT_EQ(HexDecode("009fFF"), Bytes({0x00, 0x9f, 0xff}));
  EXPECT_EQ(HexDecode(""), Bytes());
}

TEST(Hex, RefusesWhatIsNotHex) {
  ExpectRefused(&HexDecode, "abc", "decoding hex: odd number of digits");
  ExpectRefused(&HexDecode, "0g", "decoding hex: not a hex digit");
  ExpectRefused(&HexDecode, "0 ", "decoding hex: not a hex digit");
}

TEST(Base64, MatchesRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(Base64Encode(AsBytes(plain)), encoded);
    EXPECT_EQ(AsText(Base64Decode(encoded)), plain);
  }
}

TEST(Base64, RoundTripsAnyBytes) {
  SeededRandom random(5);
  for (std::size_t size = 0; size < 100; ++size) {
    Bytes bytes(size);
    random.Fill(bytes);
    EXPECT_EQ(Base64Decode(Base64Encode(bytes)), bytes);
    EXPECT_EQ(HexDecode(HexEncode(bytes)), bytes);
  }
}

TEST(Base64, RefusesWhatIsNotWellFormed) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zg===", "====", "Z===", "Z=g=", "Zm9v\n", "Zm-v"}) {
    ExpectRefused(&Base64Decode, text, "decoding base64: not well-formed");
  }
}

TEST(LittleEndian, StoresTheLowByteFirst) {
  Bytes bytes(8);
  StoreLe32(bytes.data(), 0x01020384);
  EXPECT_EQ(HexEncode(ByteView(bytes).first(4)), "84030201");
  EXPECT_EQ(LoadLe32(bytes.data()), 0x01020384U);
  StoreLe64(bytes.data(), 0xf102030405060784ULL);
  EXPECT_EQ(HexEncode(bytes), "84070605040302f1");
  EXPECT_EQ(LoadLe64(bytes.data()), 0xf102030405060784ULL);
}

TEST(FormatBytes, UsesBinaryUnitsWithOneDecimal) {
  EXPECT_EQ(FormatBytes({0}), "0 B");
  EXPECT_EQ(FormatBytes({1023}), "1023 B");
  EXPECT_EQ(FormatBytes(KiB(1)), "1.0 KiB");
  EXPECT_EQ(FormatBytes({1536U << 10}), "1.5 MiB");
  EXPECT_EQ(FormatBytes(MiB(5U << 20)), "5.0 TiB");
}

TEST(SeededRandom, RepeatsItselfFromTheSameSeed) {
  Bytes first(13);
  Bytes second(13);
  SeededRandom(9).Fill(first);
  SeededRandom(9).Fill(second);
  EXPECT_EQ(first, second);
  SeededRandom(10).Fill(second);
  EXPECT_NE(first, second);
}

TEST(RandomHex, GivesTwoDigitsAByte) {
  SeededRandom random(1);
  EXPECT_EQ(RandomHex(random, 6).size(), 12U);
}

}  // namespace tidemark
