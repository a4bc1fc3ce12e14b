#include <gtest/gtest.h>

#include "api/internal/failure.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

Failure Told(service::Reason reason, std::vector<std::string> parameters) {
  return FailureOf(
      service::Refusal(reason, ErrorCode::kConflict, "the message", std::move(parameters)), "r1");
}

}  // namespace

TEST(ErrorTable, EveryReasonHasAStatusACodeAndAText) {
  const int last = static_cast<int>(service::Reason::kClusterBusy);
  for (int reason = 0; reason <= last; ++reason) {
    const Failure failure = Told(static_cast<service::Reason>(reason), {"a", "b"});
    EXPECT_GE(failure.status, 400) << reason;
    EXPECT_LT(failure.status, 500) << reason;
    EXPECT_FALSE(failure.code.empty()) << reason;
    EXPECT_EQ(failure.detail.find('{'), std::string::npos) << failure.detail;
  }
}

TEST(ErrorTable, TextHasTheParametersInPlace) {
  const Failure failure = Told(service::Reason::kClusterNotFound, {"{1}", "0a"});
  EXPECT_EQ(failure.status, 404);
  EXPECT_EQ(failure.code, "CLUSTER_NOT_FOUND");
  EXPECT_EQ(failure.detail, "No cluster named {1} exists in group 0a.");
}

TEST(ErrorTable, InvalidValueTellsTheRuleOfTheField) {
  const Failure failure = Told(service::Reason::kInvalidValue, {"name"});
  ASSERT_EQ(failure.fields.size(), 1U);
  EXPECT_EQ(failure.fields[0].field, "name");
  EXPECT_EQ(failure.fields[0].description, "the message");
}

TEST(ErrorTable, UnexpectedErrorShowsTheRequestIdOnly) {
  const Failure failure = FailureOf(Error(ErrorCode::kCorrupt, "reading pack: secret path"), "r1");
  EXPECT_EQ(failure.status, 500);
  EXPECT_EQ(failure.code, "UNEXPECTED_ERROR");
  EXPECT_EQ(failure.detail, "Unexpected error; the server's log has it under request r1.");
}

TEST(ErrorTable, WhatIsWorthARetrySaysWhen) {
  for (const ErrorCode code :
       {ErrorCode::kUnavailable, ErrorCode::kTimeout, ErrorCode::kResourceExhausted}) {
    const Failure failure = FailureOf(Error(code, "x"), "r1");
    EXPECT_EQ(failure.status, 503);
    ASSERT_EQ(failure.headers.size(), 1U);
    EXPECT_EQ(failure.headers[0].first, "Retry-After");
  }
}

}  // namespace tidemark::api
