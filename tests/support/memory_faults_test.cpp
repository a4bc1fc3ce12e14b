// A memory server fails when and how it is told.
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_server_fixture.h"

namespace tidemark::memory {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using MemoryFaultsTest = MemoryServerTest;

TEST_F(MemoryFaultsTest, FailsTheCommandsItIsToldToAndNoOther) {
  server_.faults().Add({.commands = {"count"},
                        .ns = "shop.c",
                        .skip = 1,
                        .times = 2,
                        .code = 91,
                        .code_name = "ShutdownInProgress",
                        .message = "going down"});
  EXPECT_EQ(connection_->Count("shop", "c"), 0U);
  EXPECT_EQ(connection_->Count("shop", "d"), 0U);
  EXPECT_EQ(FailureOf([&] { connection_->Count("shop", "c"); }).code, ErrorCode::kUnavailable);
  EXPECT_THAT(FailureOf([&] { connection_->Count("shop", "c"); }).message, HasSubstr("going down"));
  EXPECT_EQ(connection_->Count("shop", "c"), 0U);
}

TEST_F(MemoryFaultsTest, FaultsCanBeSetOverTheWire) {
  Run("admin", R"({"tidemarkFault": "fullDisk"})");
  const Failure failure = FailureOf([&] { Insert("c", {Doc(1)}); });
  EXPECT_EQ(failure.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(failure.message, HasSubstr("No space left on device"));
  Run("admin", R"({"tidemarkFault": "clear"})");
  Insert("c", {Doc(1)});
  EXPECT_THAT(FailureOf([&] { Run("admin", R"({"tidemarkFault": "earthquake"})"); }).message,
              HasSubstr("no such fault: earthquake"));
}

TEST_F(MemoryFaultsTest, RefusedDocumentsAreWriteErrors) {
  server_.faults().Add({.action = FaultAction::kRefuseDocuments,
                        .commands = {"insert"},
                        .code = 121,
                        .code_name = "DocumentValidationFailure",
                        .message = "Document failed validation"});
  EXPECT_THAT(FailureOf([&] { Insert("c", {Doc(1), Doc(2)}); }).message,
              HasSubstr("2 of 2 documents refused: Document failed validation"));
  Insert("c", {Doc(1)});
}

TEST_F(MemoryFaultsTest, ConnectionDroppedAmidAReplyIsUnavailable) {
  server_.Generate("shop.c", 10'000, 1000);
  connection_->Count("shop", "c");  // the greetings are over
  server_.faults().DropAfterBytes(5'000'000);
  const Failure failure = FailureOf([&] { Read("shop", "c"); });
  EXPECT_EQ(failure.code, ErrorCode::kUnavailable);
  EXPECT_THAT(failure.message, StartsWith("reading shop.c at 127.0.0.1:"));
  EXPECT_EQ(Read("shop", "c").size(), 10'000U);
}

TEST_F(MemoryFaultsTest, AnswerThatIsLostAfterTheWriteLeavesTheWrite) {
  connection_->Count("shop", "c");
  server_.faults().Add({.action = FaultAction::kDropAfterwards, .commands = {"insert"}});
  EXPECT_EQ(FailureOf([&] { Insert("c", {Doc(1)}); }).code, ErrorCode::kUnavailable);
  EXPECT_EQ(connection_->Count("shop", "c"), 1U);
  server_.faults().Add({.action = FaultAction::kDropConnection, .commands = {"insert"}});
  EXPECT_EQ(FailureOf([&] { Insert("c", {Doc(2)}); }).code, ErrorCode::kUnavailable);
  EXPECT_EQ(connection_->Count("shop", "c"), 1U);
}

TEST_F(MemoryFaultsTest, MemberThatHasSteppedDownRefusesUntilItIsPrimaryAgain) {
  const auto direct = mongo::Connection::Open(
      Secret("mongodb://127.0.0.1:" + std::to_string(server_.port()) + "/?directConnection=true"),
      {});
  server_.StepDown();
  const Bytes insert = bson::FromJson(R"({"insert": "c", "documents": [{"_id": 1}]})");
  const Failure failure = FailureOf([&] { direct->RunCommand("shop", bson::Document(insert)); });
  EXPECT_EQ(failure.code, ErrorCode::kUnavailable);
  EXPECT_THAT(failure.message, HasSubstr("not primary"));
  server_.StepUp();
  direct->RunCommand("shop", bson::Document(insert));
  EXPECT_EQ(direct->Count("shop", "c"), 1U);
}

TEST_F(MemoryFaultsTest, CursorOfADroppedCollectionDies) {
  server_.Generate("shop.c", 1000, 100);
  server_.faults().SetHook([this](std::string_view command, std::string_view) {
    if (command == "getMore") {
      server_.WithStore([](Store& store) {
        if (const NamespacePtr ns = store.Find("shop", "c")) {
          store.Drop(ns);
        }
      });
    }
  });
  const Failure failure = FailureOf([&] { Read("shop", "c"); });
  EXPECT_EQ(failure.code, ErrorCode::kUnavailable);
  EXPECT_THAT(failure.message, HasSubstr("collection dropped: shop.c"));
}

TEST_F(MemoryFaultsTest, EndsWhileClientsAreConnectedAndWait) {
  auto server =
      std::make_unique<MemoryServer>(ServerOptions{.replica_set = "rs1"}, clock_, random_);
  const auto connection = mongo::Connection::Open(Secret(server->Uri()), {});
  const Bytes find = bson::FromJson(R"({"find": "oplog.rs", "tailable": true, "awaitData": true})");
  const Bytes first = connection->RunCommand("local", bson::Document(find));
  const Bytes more =
      bson::Builder()
          .Append("getMore", IntegerAt(DocumentAt(bson::Document(first), "cursor"), "id", 0))
          .Append("collection", "oplog.rs")
          .Append("maxTimeMS", std::int32_t{60'000})
          .Finish();
  std::promise<void> asked;
  server->faults().SetHook([&](std::string_view command, std::string_view) {
    if (command == "getMore") {
      asked.set_value();
    }
  });
  const std::jthread waiting([&] {
    try {
      connection->RunCommand("local", bson::Document(more));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    }
  });
  asked.get_future().wait();
  server.reset();
}

}  // namespace
}  // namespace tidemark::memory
