#include "codec/collection_name.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tidemark::codec {
namespace {

TEST(EscapeCollection, IsUrlQueryEscaping) {
  EXPECT_EQ(EscapeCollection("plain_Name-1.x~"), "plain_Name-1.x~");
  EXPECT_EQ(EscapeCollection("we ird/n\xc3\xa4me.with.dots"), "we+ird%2Fn%C3%A4me.with.dots");
  EXPECT_EQ(EscapeCollection("new\nline"), "new%0Aline");
  EXPECT_EQ(EscapeCollection("a%b+c$d\\e*f"), "a%25b%2Bc%24d%5Ce%2Af");
  EXPECT_EQ(EscapeCollection("Case"), "Case");
  EXPECT_EQ(EscapeCollection("case"), "case");
}

TEST(EscapeCollection, UpTo238BytesStayAsTheyAre) {
  const std::string fits(238, 'x');
  EXPECT_EQ(EscapeCollection(fits), fits);
}

// The hash was computed with Python: base64.urlsafe_b64encode(hashlib.sha1(b"x" * 239).digest()).
TEST(EscapeCollection, LongerNamesEndInAHash) {
  EXPECT_EQ(EscapeCollection(std::string(239, 'x')),
            std::string(208, 'x') + "%24Nq75d-cu3iRxNs-ce3Tvf9gagoU");
  const std::string escaped = EscapeCollection(std::string(255, '/'));
  EXPECT_EQ(escaped.size(), 238U);
  EXPECT_NE(escaped, EscapeCollection(std::string(254, '/')));
}

TEST(EscapeCollection, IsThatOfGo) {
  EXPECT_EQ(EscapeCollection("orders"), "orders");
  EXPECT_EQ(EscapeCollection("a b/c%d+e~f-g_h.i"), "a+b%2Fc%25d%2Be~f-g_h.i");
  EXPECT_EQ(EscapeCollection("new\nline\"n\xc3\xa4me"), "new%0Aline%22n%C3%A4me");
}

// The hash was made with another implementation.
TEST(EscapeCollection, HashedNamesDoNotTell) {
  std::string name;
  for (int i = 0; i < 100; ++i) {
    name += "x/";
  }
  const std::string escaped = EscapeCollection(name);
  EXPECT_EQ(escaped.size(), 238U);
  EXPECT_EQ(escaped.substr(200), "x%2Fx%2F%24IMex8Gy4gRUsG4P9B8AytoYVjg0");
  EXPECT_TRUE(IsHashedName(escaped));
  EXPECT_EQ(UnescapeCollection(escaped), std::nullopt);
  EXPECT_FALSE(IsHashedName(EscapeCollection(std::string(238, 'x'))));
}

TEST(UnescapeCollection, IsTheInverse) {
  SeededRandom random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string name(random.Next() % 70, '\0');
    for (char& c : name) {
      c = static_cast<char>(random.Next());
    }
    EXPECT_EQ(UnescapeCollection(EscapeCollection(name)), name);
  }
}

TEST(UnescapeCollection, MalformedEscapesAreNone) {
  for (const char* escaped : {"%", "a%", "a%2", "%zz", "%2", "%%41", "%-1"}) {
    EXPECT_EQ(UnescapeCollection(escaped), std::nullopt) << escaped;
  }
  EXPECT_EQ(UnescapeCollection("%2f%2F"), "//");
}

}  // namespace
}  // namespace tidemark::codec
