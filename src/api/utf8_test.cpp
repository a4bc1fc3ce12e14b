#include "api/internal/utf8.h"

#include <gtest/gtest.h>

namespace tidemark::api {

TEST(TakeCodePoint, ReadsOneToFourBytes) {
  std::string_view text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
  EXPECT_EQ(TakeCodePoint(text), U'a');
  EXPECT_EQ(TakeCodePoint(text), U'\u00E9');
  EXPECT_EQ(TakeCodePoint(text), U'\u20AC');
  EXPECT_EQ(TakeCodePoint(text), U'\U0001F600');
  EXPECT_FALSE(TakeCodePoint(text).has_value());
}

TEST(TakeCodePoint, RefusesIllFormedSequences) {
  for (std::string_view text : {"\x80",
                                "\xC0\x80",
                                "\xE0\x80\x80",
                                "\xED\xA0\x80",
                                "\xF4\x90\x80\x80",
                                "\xF8\x88\x80\x80\x80",
                                "\xC3",
                                "\xC3("}) {
    EXPECT_FALSE(TakeCodePoint(text).has_value());
  }
}

TEST(MakeWellFormed, ReplacesOnlyIllFormedBytes) {
  EXPECT_EQ(MakeWellFormed("a\xFFz\xC3\xA9\xC3"), "a\xEF\xBF\xBDz\xC3\xA9\xEF\xBF\xBD");
}

TEST(IsDeploymentItemName, TakesUnicodeLettersDigitsAndMarks) {
  for (const char* name :
       {"Cluster0", "-_.(),:&@+'", "\xC3\xA9t\xC3\xA9", "\xE5\x82\x99\xE4\xBB\xBD", "\xD9\xA3"}) {
    EXPECT_TRUE(IsDeploymentItemName(name)) << name;
  }
}

TEST(IsDeploymentItemName, RefusesEverythingElse) {
  for (const char* name :
       {"", "a b", "a/b", "a\"", "\xF0\x9F\x98\x80", "\xE2\x82\xAC", "\xFF", "a\n"}) {
    EXPECT_FALSE(IsDeploymentItemName(name)) << name;
  }
}

TEST(IsDeploymentItemName, CountsCodePointsNotBytes) {
  std::string name;
  for (int i = 0; i < 64; ++i) {
    name += "\xC3\xA9";
  }
  EXPECT_TRUE(IsDeploymentItemName(name));
  EXPECT_FALSE(IsDeploymentItemName(name + "a"));
}

}  // namespace tidemark::api
