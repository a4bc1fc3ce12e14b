#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "mongo/cluster.h"
#include "mongo/internal/driver_error.h"

namespace tidemark::mongo {
namespace {

Error FailureOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorCode::kInternal, "nothing");
}

TEST(Connection, MalformedStringIsRefusedWithoutBeingShown) {
  for (const char* text : {"",
                           "http://user:hunter2@host",
                           "mongodb://user:hunter2@",
                           "mongodb://a:hunter2@b:99999999/"}) {
    const Error error = FailureOf([&] { Connection::Open(Secret(text), {}); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    EXPECT_EQ(error.message(), "reading a connection string: it is malformed");
    EXPECT_THAT(error.hint(), testing::Not(testing::HasSubstr("hunter2")));
  }
}

TEST(Connection, UnreachableServerIsUnavailableAndNamesNoSecret) {
  ConnectionOptions options;
  options.connect_timeout = std::chrono::milliseconds(300);
  // Port 1 of loopback: nobody listens there.
  const auto connection = Connection::Open(Secret("mongodb://user:hunter2@127.0.0.1:1/"), options);
  const Error error = FailureOf([&] { connection->Facts(); });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(std::string(error.message()),
              testing::StartsWith("running isMaster on admin at 127.0.0.1:1: "));
  EXPECT_THAT(std::string(error.message()), testing::Not(testing::HasSubstr("hunter2")));
  EXPECT_EQ(error.hint(),
            "is the cluster running, and can this machine reach it with these TLS settings?");
}

TEST(DriverError, ServerCodesBecomeOurs) {
  const std::vector<std::pair<std::uint32_t, ErrorCode>> expected{
      {13, ErrorCode::kPermissionDenied},
      {26, ErrorCode::kNotFound},
      {50, ErrorCode::kTimeout},
      {238, ErrorCode::kUnsupported},
      {10107, ErrorCode::kUnavailable},
      {11000, ErrorCode::kConflict},
      {14031, ErrorCode::kResourceExhausted},
      {2, ErrorCode::kInvalidArgument}};
  for (const auto& [server, ours] : expected) {
    EXPECT_EQ(MakeServerError(server, "why").code(), ours) << server;
  }
}

TEST(DriverError, DropOfNothingWithoutACodeIsNotFound) {
  bson_error_t error{.domain = MONGOC_ERROR_SERVER, .code = 0};
  bson_strncpy(error.message, "ns not found", sizeof error.message);
  const Error thrown = FailureOf([&] { ThrowDriverError(error, "dropping shop.o"); });
  EXPECT_EQ(thrown.code(), ErrorCode::kNotFound);
  EXPECT_EQ(thrown.message(), "dropping shop.o: ns not found");
}

TEST(DriverError, LostPeerIsUnavailableAndDeadlineIsTimeout) {
  bson_error_t error{.domain = MONGOC_ERROR_STREAM, .code = MONGOC_ERROR_STREAM_SOCKET};
  bson_strncpy(error.message, "Failed to read: socket error or timeout", sizeof error.message);
  EXPECT_EQ(FailureOf([&] { ThrowDriverError(error, "x"); }).code(), ErrorCode::kUnavailable);
  bson_strncpy(error.message, "connection timeout", sizeof error.message);
  EXPECT_EQ(FailureOf([&] { ThrowDriverError(error, "x"); }).code(), ErrorCode::kTimeout);
}

TEST(Connection, InternalDatabasesAreNotTheUsers) {
  for (const char* name : {"admin", "config", "local", "tidemark_restore"}) {
    EXPECT_TRUE(IsInternalDatabase(name)) << name;
  }
  EXPECT_FALSE(IsInternalDatabase("shop"));
  EXPECT_FALSE(IsInternalDatabase("Admin"));
}

}  // namespace
}  // namespace tidemark::mongo
