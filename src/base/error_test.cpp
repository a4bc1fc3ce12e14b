#include "base/error.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace tidemark {
namespace {

Error FromErrno(int number) {
  try {
    ThrowErrno(number, "writing", "data/pack");
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace

TEST(Error, KeepsCodeMessageAndHint) {
  const Error error(ErrorCode::kNotFound, "opening x: gone", "look elsewhere");
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_EQ(error.message(), "opening x: gone");
  EXPECT_EQ(error.hint(), "look elsewhere");
  EXPECT_STREQ(error.what(), "opening x: gone");
}

TEST(Error, WithContextPutsTheOuterActionFirst) {
  const Error inner(ErrorCode::kTimeout, "reading y: too slow", "wait");
  const Error outer = inner.WithContext("taking snapshot");
  EXPECT_EQ(outer.message(), "taking snapshot: reading y: too slow");
  EXPECT_EQ(outer.code(), ErrorCode::kTimeout);
  EXPECT_EQ(outer.hint(), "wait");
  EXPECT_EQ(inner.message(), "reading y: too slow");
}

TEST(ErrorCode, NamesAreTheEnumeratorsWithoutK) {
  EXPECT_EQ(ErrorCodeName(ErrorCode::kInvalidArgument), "InvalidArgument");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kCorrupt), "Corrupt");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kInternal), "Internal");
}

TEST(ErrorCode, OnlyUnavailableAndTimeoutAreWorthARetry) {
  EXPECT_TRUE(IsRetryable(ErrorCode::kUnavailable));
  EXPECT_TRUE(IsRetryable(ErrorCode::kTimeout));
  for (const ErrorCode code : {ErrorCode::kInvalidArgument,
                               ErrorCode::kNotFound,
                               ErrorCode::kConflict,
                               ErrorCode::kUnauthenticated,
                               ErrorCode::kPermissionDenied,
                               ErrorCode::kResourceExhausted,
                               ErrorCode::kCancelled,
                               ErrorCode::kCorrupt,
                               ErrorCode::kUnsupported,
                               ErrorCode::kIo,
                               ErrorCode::kInternal}) {
    EXPECT_FALSE(IsRetryable(code)) << ErrorCodeName(code);
  }
}

TEST(ThrowErrno, TranslatesEachNumber) {
  EXPECT_EQ(FromErrno(ENOSPC).code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(FromErrno(EDQUOT).code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(FromErrno(ENOENT).code(), ErrorCode::kNotFound);
  EXPECT_EQ(FromErrno(EACCES).code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(FromErrno(EPERM).code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(FromErrno(EEXIST).code(), ErrorCode::kConflict);
  EXPECT_EQ(FromErrno(EIO).code(), ErrorCode::kIo);
}

TEST(ThrowErrno, NamesActionPathAndReason) {
  const Error error = FromErrno(ENOSPC);
  EXPECT_EQ(error.message(), "writing data/pack: No space left on device");
  EXPECT_EQ(error.hint(), "free space on that file system, then try again");
}

TEST(CheckDeathTest, AbortsWithThePlace) {
  EXPECT_DEATH(CheckFailed("a == b", "x.cpp", 12),
               "x.cpp:12: check failed: a == b\nThis is a bug in Tidemark.");
  TIDEMARK_CHECK(1 + 1 == 2);
}

}  // namespace tidemark
