#include "base/secret.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace tidemark {

TEST(Secret, PrintsAsStars) {
  const Secret secret("mongodb://user:pass@host");
  EXPECT_EQ(fmt::format("uri={}", secret), "uri=***");
  EXPECT_EQ(fmt::format("{}", Secret()), "***");
}

TEST(Secret, RevealsItsText) {
  EXPECT_EQ(Secret("s").Reveal(), "s");
  EXPECT_FALSE(Secret("s").empty());
  EXPECT_TRUE(Secret().empty());
}

TEST(Secret, MovingEmptiesTheSource) {
  Secret source("a secret longer than the small string buffer");
  Secret moved(std::move(source));
  EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): the promise under test
  Secret assigned("old");
  assigned = std::move(moved);
  EXPECT_TRUE(moved.empty());  // NOLINT(bugprone-use-after-move): the promise under test
  EXPECT_EQ(assigned.Reveal(), "a secret longer than the small string buffer");
}

TEST(Secret, AssignmentToItselfKeepsTheText) {
  Secret secret("s");
  const Secret& same = secret;
  secret = same;
  EXPECT_EQ(secret.Reveal(), "s");
}

TEST(ConstantTimeEqual, ComparesTheWholeText) {
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_TRUE(ConstantTimeEqual("abc", "abc"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "abd"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "bbc"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "ab"));
  EXPECT_FALSE(ConstantTimeEqual("", "a"));
}

}  // namespace tidemark
