#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "bson/builder.h"
#include "mongo/cluster.h"
#include "tests/support/caught_error.h"
#include "tests/support/memory/store.h"
#include "tests/support/memory_server.h"

namespace tidemark::memory {

inline Bytes Doc(std::int64_t id) {
  return bson::Builder().Append("_id", id).Append("text", "x").Finish();
}

// Canonical Extended JSON of any Extended JSON.
inline std::string Canonical(std::string_view json) {
  const Bytes bytes = bson::FromJson(json);
  return bson::ToJson(bson::Document(bytes));
}

using tidemark::Failure;
using tidemark::FailureOf;

// A memory server, and a connection to it as the product makes it.
class MemoryServerTest : public testing::Test {
 protected:
  explicit MemoryServerTest(const ServerOptions& options = {.replica_set = "rs0"})
      : server_(options, clock_, random_) {}

  Bytes Run(std::string_view database, std::string_view json) {
    const Bytes command = bson::FromJson(json);
    return connection_->RunCommand(database, bson::Document(command));
  }

  void Insert(std::string_view collection, const std::vector<Bytes>& documents) {
    connection_->InsertMany("shop", collection, {documents.begin(), documents.end()});
  }

  std::vector<Bytes> Read(std::string_view database, std::string_view collection) {
    std::vector<Bytes> documents;
    connection_->ForEachDocument(database, collection, {}, [&](ByteView document) {
      documents.emplace_back(document.begin(), document.end());
    });
    return documents;
  }

  // {op, ns, o, o2} of the oplog's entries about `database`.
  std::vector<std::string> Oplog(std::string_view database) {
    std::vector<std::string> entries;
    for (const Bytes& bytes : Read("local", "oplog.rs")) {
      const bson::Document entry(bytes);
      if (TextAt(entry, "ns").starts_with(database)) {
        const Bytes shown = Without(entry, {"ui", "ts", "t", "v", "wall"});
        entries.push_back(bson::ToJson(bson::Document(shown)));
      }
    }
    return entries;
  }

  // The _id values of a find's first batch.
  std::vector<std::int64_t> Ids(std::string_view find) {
    const Bytes reply = Run("shop", find);
    const bson::Document batch =
        DocumentAt(DocumentAt(bson::Document(reply), "cursor"), "firstBatch");
    std::vector<std::int64_t> ids;
    for (const bson::Element& element : batch) {
      ids.push_back(IntegerAt(element.AsDocument().value(), "_id", -1));
    }
    return ids;
  }

  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  SystemRandom random_;  // several threads
  MemoryServer server_;
  std::unique_ptr<mongo::Connection> connection_ =
      mongo::Connection::Open(Secret(server_.Uri()), {});
};

}  // namespace tidemark::memory
