#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/units.h"
#include "bson/document.h"

// Connections to registered clusters. The only home of libmongoc: no driver type crosses this
// header.
namespace tidemark::mongo {

// What a cluster says of itself.
struct ServerFacts {
  std::string version;                 // buildInfo.version
  std::string flavor;                  // "mongodb", "ferretdb", or "other"
  bool is_sharded = false;             // answered by a mongos
  std::string replica_set_name;        // empty: standalone
  bool has_oplog = false;              // local.oplog.rs is there and readable
  std::uint32_t position_seconds = 0;  // newest oplog entry
  std::uint32_t position_increment = 0;
  int max_wire_version = 0;
};

struct ConnectionOptions {
  int pool_size = 16;                               // clients at most
  std::chrono::milliseconds connect_timeout{5000};  // server selection and connect
  std::chrono::milliseconds socket_timeout{60000};
  // BSON bytes of a reply that documents are read in, about; the driver holds a reply up to three
  // times. A larger document comes alone.
  ByteCount reply_size = MiB(4);
};

// A pool of clients of one cluster. Synchronized; every call blocks and takes a client of its own.
// Errors: kUnavailable (cannot be reached, not primary), kTimeout, kPermissionDenied
// (authentication, rights), kInvalidArgument (connection string, command refused), kUnsupported (no
// such command), kConflict (duplicate key). Messages name the operation and the host, never the
// connection string.
class Connection {
 public:
  // Parses the string; does not connect. kInvalidArgument with a hint when it is malformed. A write
  // is done when a majority of the members has it, unless the string says w=N; kTimeout with a hint
  // when they have not after four minutes (the string's wtimeoutMS), though it may be done.
  static std::unique_ptr<Connection> Open(const Secret& connection_string,
                                          const ConnectionOptions& options);
  virtual ~Connection() = default;

  // hello, buildInfo, oplog. Retries nothing.
  virtual ServerFacts Facts() = 0;
  // Runs one command on the primary; returns the reply. Throws on ok: 0. Not retried.
  virtual Bytes RunCommand(std::string_view database, const bson::Document& command) = 0;
  // Names from listDatabases, unfiltered.
  virtual std::vector<std::string> ListDatabases() = 0;
  // The documents of listCollections' cursor ({name, type, options, info, idIndex}).
  virtual std::vector<Bytes> ListCollections(std::string_view database) = 0;
  // The documents of listIndexes' cursor. Empty when the namespace is gone or a view.
  virtual std::vector<Bytes> ListIndexes(std::string_view database,
                                         std::string_view collection) = 0;
  // One cursor over the whole collection in natural order; `visit` sees each raw document, valid
  // during the call.
  virtual void ForEachDocument(std::string_view database,
                               std::string_view collection,
                               const std::stop_token& stop,
                               const std::function<void(ByteView document)>& visit) = 0;
  // One unordered insert of raw documents, split as the server's limits demand. Throws unless every
  // one was taken.
  virtual void InsertMany(std::string_view database,
                          std::string_view collection,
                          const std::vector<ByteView>& documents) = 0;
  // As ForEachDocument, sorted by _id as the server sorts. kInvalidArgument or kUnsupported when it
  // cannot.
  virtual void ForEachById(std::string_view database,
                           std::string_view collection,
                           const std::stop_token& stop,
                           const std::function<void(ByteView document)>& visit) = 0;
  // As ForEachById, along the index {_id: 1} from `from` ({"": <_id>}) on, itself included; empty:
  // from the first. Values of every type are in that order, unlike with $gt.
  virtual void ForEachFromId(std::string_view database,
                             std::string_view collection,
                             ByteView from,
                             const std::stop_token& stop,
                             const std::function<void(ByteView document)>& visit) = 0;
  // The documents with one of those _ids (each a document {"": _id}), in any order.
  virtual void FindByIds(std::string_view database,
                         std::string_view collection,
                         const std::vector<Bytes>& ids,
                         const std::function<void(ByteView document)>& visit) = 0;
  // Unordered: each document replaces the one with its _id, or is inserted. REQUIRES: every
  // document has an _id. May be repeated.
  virtual void ReplaceMany(std::string_view database,
                           std::string_view collection,
                           const std::vector<ByteView>& documents) = 0;
  // Unordered: deletes the documents with those _ids (each a document {"": _id}). May be repeated.
  virtual void DeleteMany(std::string_view database,
                          std::string_view collection,
                          const std::vector<Bytes>& ids) = 0;
  // Exact count by aggregation or count command.
  virtual std::uint64_t Count(std::string_view database, std::string_view collection) = 0;
};

// Databases that are not the user's: admin, config, local, and our marker database.
bool IsInternalDatabase(std::string_view name);

// Where a restore marks its target incomplete (design.md 5); dropped when the restore has
// completed.
inline constexpr std::string_view kMarkerDatabase = "tidemark_restore";
inline constexpr std::string_view kMarkerCollection = "incomplete";

}  // namespace tidemark::mongo
