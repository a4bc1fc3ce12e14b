#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/units.h"
#include "tests/support/memory/faults.h"
#include "tests/support/memory/id_order.h"

namespace tidemark::memory {

class Store;

struct ServerOptions {
  std::uint16_t port = 0;          // 0: any free one
  std::string replica_set = {};    // empty: a standalone, without an oplog
  std::string version = "6.0.16";  // what buildInfo says
  // "admin.root": the user as whom every client is logged in, as connectionStatus tells it; nobody
  // is asked for a password.
  std::string login = {};
  ByteCount oplog_size = MiB(64);  // the oldest entries fall off
  int max_connections = 128;       // one thread each; beyond it a connection is closed at once
  // Off: an insert is copied as it comes, without a look at duplicate _id values or malformed
  // documents; for benchmarks.
  bool checks = true;
};

// A MongoDB server in memory, on the loopback interface, for tests and benchmarks. It speaks the
// wire protocol well enough for libmongoc, pymongo and mongodump; keeps the options of collections,
// views and indexes verbatim; and fails when and how it is told. It executes no index, validator,
// TTL or collation, knows no transactions and no authentication. Synchronized.
class MemoryServer {
 public:
  // Listens when it returns. `clock` and `random` must outlive it. Throws kUnavailable when the
  // port is taken.
  MemoryServer(const ServerOptions& options, const Clock& clock, RandomSource& random);
  // Drops every connection, then waits for their threads.
  ~MemoryServer();

  MemoryServer(const MemoryServer&) = delete;
  MemoryServer& operator=(const MemoryServer&) = delete;

  std::uint16_t port() const;
  // "mongodb://127.0.0.1:port/", with the replica set's name if there is one.
  std::string Uri() const;

  Faults& faults();
  // A primary that has stepped down refuses reads and writes until StepUp.
  void StepDown();
  void StepUp();
  // Closes every connection, as a server that dies does.
  void DropConnections();

  // Runs `use` under the server's lock.
  void WithStore(const std::function<void(Store&)>& use);
  // Fills "db.collection" with `documents` made-up ones of about `bytes` each.
  void Generate(const std::string& ns,
                std::uint64_t documents,
                std::uint32_t bytes,
                IdOrder order = IdOrder::kAscending);
  // Loads what tests/data/README.md calls a dump state: catalog.json and <db>/<collection>.bson.
  // Throws kNotFound, kIo, kInvalidArgument, kCorrupt.
  void LoadDump(const std::filesystem::path& directory);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace tidemark::memory
