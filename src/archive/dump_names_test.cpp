#include "archive/internal/dump_names.h"

#include <gtest/gtest.h>

namespace tidemark::archive {
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

}  // namespace
}  // namespace tidemark::archive
