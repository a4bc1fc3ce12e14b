#include "http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(PercentDecode, DecodesEitherCaseOfHex) {
  EXPECT_EQ(PercentDecode("a%2Fb%2fc", PlusSign::kLiteral), "a/b/c");
  EXPECT_EQ(PercentDecode("%C3%BC%00", PlusSign::kLiteral), std::string("\xC3\xBC\0", 3));
}

TEST(PercentDecode, PlusIsASpaceInQueriesOnly) {
  EXPECT_EQ(PercentDecode("a+b", PlusSign::kLiteral), "a+b");
  EXPECT_EQ(PercentDecode("a+b", PlusSign::kSpace), "a b");
}

TEST(PercentDecode, RefusesMalformedEscapes) {
  for (const char* text : {"%", "a%2", "%g0", "%0g", "%%30"}) {
    EXPECT_EQ(PercentDecode(text, PlusSign::kLiteral), std::nullopt) << text;
  }
}

TEST(ParseQuery, KeepsOrderAndRepetition) {
  EXPECT_THAT(ParseQuery("b=1&a=%20x+y&b=&flag"),
              ElementsAre(Pair("b", "1"), Pair("a", " x y"), Pair("b", ""), Pair("flag", "")));
}

TEST(ParseQuery, SplitsAtTheFirstEqualsSign) {
  EXPECT_THAT(ParseQuery("a=b=c&=d"), ElementsAre(Pair("a", "b=c"), Pair("", "d")));
}

TEST(ParseQuery, KeepsMalformedEscapesAndSkipsEmptyParts) {
  EXPECT_THAT(ParseQuery("&&a=%zz%41&"), ElementsAre(Pair("a", "%zzA")));
  EXPECT_THAT(ParseQuery(""), IsEmpty());
}

TEST(Request, HeaderGivesTheFirstOfAName) {
  Request request;
  request.headers = {{"accept", "a"}, {"accept", "b"}};
  EXPECT_EQ(request.Header("accept"), "a");
  EXPECT_EQ(request.Header("host"), std::nullopt);
}

TEST(ReasonPhrase, KnowsWhatIsRegistered) {
  EXPECT_EQ(ReasonPhrase(404), "Not Found");
  EXPECT_EQ(ReasonPhrase(100), "Continue");
  EXPECT_EQ(ReasonPhrase(505), "HTTP Version Not Supported");
  EXPECT_EQ(ReasonPhrase(599), "Unknown");
}

TEST(MethodName, IsTheMethodOnTheWire) {
  EXPECT_EQ(MethodName(Method::kDelete), "DELETE");
  EXPECT_EQ(MethodName(Method::kHead), "HEAD");
}

}  // namespace
}  // namespace tidemark::http
