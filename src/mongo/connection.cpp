#include <algorithm>
#include <array>

#include "base/mutex.h"
#include "bson/builder.h"
#include "mongo/cluster.h"
#include "mongo/internal/batch_size.h"
#include "mongo/internal/cursor.h"
#include "mongo/internal/driver_error.h"
#include "mongo/internal/edit.h"
#include "mongo/internal/handles.h"
#include "mongo/internal/insert.h"
#include "mongo/internal/uri.h"

namespace tidemark::mongo {
namespace {

// An index build answers when it is done; the driver's keep-alive finds a dead peer before.
constexpr std::int32_t kIndexBuildTimeout = 24 * 3600 * 1000;  // milliseconds
// For the members that a write waits for. Less than a socket waits (ConnectionOptions), so that the
// server says which it was.
constexpr std::int64_t kReplicationTimeout = 240'000;  // milliseconds

std::string FullName(std::string_view database, std::string_view collection) {
  return std::string(database) + "." + std::string(collection);
}

std::string TextMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? std::string(element->AsString().value_or("")) : std::string();
}

std::string HostOf(const mongoc_uri_t* uri) {
  if (const char* srv = mongoc_uri_get_srv_hostname(uri)) {
    return srv;
  }
  const mongoc_host_list_t* hosts = mongoc_uri_get_hosts(uri);
  return hosts == nullptr ? "unknown host" : hosts->host_and_port;
}

// Whether the server takes a writeConcern with the command, and tells when it was not reached.
bool Writes(std::string_view command) {
  constexpr std::array<std::string_view, 9> kWriting{"create",
                                                     "createIndexes",
                                                     "collMod",
                                                     "drop",
                                                     "dropDatabase",
                                                     "dropIndexes",
                                                     "insert",
                                                     "update",
                                                     "_mergeAuthzCollections"};
  return std::ranges::find(kWriting, command) != kWriting.end();
}

class DriverConnection final : public Connection {
 public:
  DriverConnection(UriHandle uri, PoolHandle pool, ByteCount reply_size)
      : uri_(std::move(uri)),
        host_(HostOf(uri_.get())),
        pool_(std::move(pool)),
        reply_size_(reply_size) {}

  ServerFacts Facts() override;
  Bytes RunCommand(std::string_view database, const bson::Document& command) override;
  std::vector<std::string> ListDatabases() override;
  std::vector<Bytes> ListCollections(std::string_view database) override;
  std::vector<Bytes> ListIndexes(std::string_view database, std::string_view collection) override;
  void ForEachDocument(std::string_view database,
                       std::string_view collection,
                       const std::stop_token& stop,
                       const std::function<void(ByteView)>& visit) override;
  void InsertMany(std::string_view database,
                  std::string_view collection,
                  const std::vector<ByteView>& documents) override;
  void ForEachById(std::string_view database,
                   std::string_view collection,
                   const std::stop_token& stop,
                   const std::function<void(ByteView)>& visit) override;
  void ForEachFromId(std::string_view database,
                     std::string_view collection,
                     ByteView from,
                     const std::stop_token& stop,
                     const std::function<void(ByteView)>& visit) override;
  void FindByIds(std::string_view database,
                 std::string_view collection,
                 const std::vector<Bytes>& ids,
                 const std::function<void(ByteView)>& visit) override;
  void ReplaceMany(std::string_view database,
                   std::string_view collection,
                   const std::vector<ByteView>& documents) override;
  void DeleteMany(std::string_view database,
                  std::string_view collection,
                  const std::vector<Bytes>& ids) override;
  std::uint64_t Count(std::string_view database, std::string_view collection) override;

 private:
  struct Listing {
    std::string database;
    Bytes command;
    std::string doing;
    std::vector<std::uint32_t> empty_codes;  // server codes that mean: there is nothing to list
  };

  // A find: which documents of which collection, in which order.
  struct Query {
    std::string database;
    std::string collection;
    Bytes filter;
    Bytes sort;       // empty document: natural order
    Bytes hint = {};  // empty: the server chooses
    Bytes min = {};   // the least index key; empty: all
  };

  Bytes Run(mongoc_client_t* client, const std::string& database, const bson::Document& command);
  void Find(const Query& query,
            const std::stop_token& stop,
            const std::function<void(ByteView)>& visit);

  InsertPlace PlaceOf(std::string_view database, std::string_view collection) const {
    return {std::string(database),
            std::string(collection),
            At("writing to " + FullName(database, collection))};
  }

  Bytes BuildIndexes(const std::string& database, const bson::Document& command);
  std::vector<Bytes> List(const Listing& listing);
  void ReadBuildInfo(ServerFacts& facts);
  void ReadOplogPosition(ServerFacts& facts);
  std::string Flavor();

  std::string At(const std::string& doing) const { return doing + " at " + host_; }

  const UriHandle uri_;
  const std::string host_;  // for messages
  const PoolHandle pool_;
  const ByteCount reply_size_;
  Mutex mutex_;
  std::string flavor_ TIDEMARK_GUARDED_BY(mutex_);  // empty until it is asked for
};

Bytes DriverConnection::Run(mongoc_client_t* client,
                            const std::string& database,
                            const bson::Document& command) {
  const std::string name(command.empty() ? std::string_view("nothing") : command.begin()->name);
  const BsonView view(command.bytes());
  Reply reply;
  bson_error_t error;
  const bool done = Writes(name)
                        ? mongoc_client_write_command_with_opts(
                              client, database.c_str(), view.get(), nullptr, reply.Out(), &error)
                        : mongoc_client_command_simple(
                              client, database.c_str(), view.get(), nullptr, reply.Out(), &error);
  if (!done) {
    ThrowDriverError(error, At("running " + name + " on " + database));
  }
  return CopyOf(reply.bytes());
}

// On a client of its own, since the pool's socket timeout cannot be changed for one command.
Bytes DriverConnection::BuildIndexes(const std::string& database, const bson::Document& command) {
  const UriHandle patient(mongoc_uri_copy(uri_.get()));
  mongoc_uri_set_option_as_int32(patient.get(), MONGOC_URI_SOCKETTIMEOUTMS, kIndexBuildTimeout);
  const ClientHandle client(mongoc_client_new_from_uri(patient.get()));
  TIDEMARK_CHECK(client != nullptr);
  mongoc_client_set_error_api(client.get(), MONGOC_ERROR_API_VERSION_2);
  mongoc_client_set_appname(client.get(), "tidemark");
  return Run(client.get(), database, command);
}

Bytes DriverConnection::RunCommand(std::string_view database, const bson::Document& command) {
  if (!command.empty() && command.begin()->name == "createIndexes") {
    return BuildIndexes(std::string(database), command);
  }
  const BorrowedClient client(pool_.get());
  return Run(client.get(), std::string(database), command);
}

std::vector<Bytes> DriverConnection::List(const Listing& listing) {
  const BorrowedClient client(pool_.get());
  const std::string doing = At(listing.doing);
  const std::uint32_t server = SelectPrimary(client.get(), doing);
  const BsonView view(listing.command);
  Reply reply;
  bson_error_t error;
  if (mongoc_client_command_simple_with_server_id(client.get(),
                                                  listing.database.c_str(),
                                                  view.get(),
                                                  nullptr,
                                                  server,
                                                  reply.Out(),
                                                  &error)) {
    return ReadCursor(client.get(), server, reply, doing);
  }
  const bool from_server = error.domain == MONGOC_ERROR_SERVER;
  if (from_server &&
      std::ranges::find(listing.empty_codes, error.code) != listing.empty_codes.end()) {
    return {};
  }
  ThrowDriverError(error, doing);
}

std::vector<std::string> DriverConnection::ListDatabases() {
  const Bytes command =
      bson::Builder().Append("listDatabases", std::int32_t{1}).Append("nameOnly", true).Finish();
  const Bytes reply = RunCommand("admin", bson::Document(command));
  const auto databases = bson::Document(reply).Find("databases");
  const auto array = databases ? databases->AsDocument() : std::nullopt;
  if (!array) {
    throw Error(ErrorCode::kUnavailable, At("listing databases") + ": the answer has no databases");
  }
  std::vector<std::string> names;
  for (const bson::Element& element : *array) {
    names.push_back(TextMember(element.AsDocument().value_or(bson::Document()), "name"));
  }
  return names;
}

std::vector<Bytes> DriverConnection::ListCollections(std::string_view database) {
  Bytes command = bson::Builder()
                      .Append("listCollections", std::int32_t{1})
                      .Append("cursor", bson::Document())
                      .Finish();
  return List({std::string(database),
               std::move(command),
               "listing collections of " + std::string(database),
               {}});
}

std::vector<Bytes> DriverConnection::ListIndexes(std::string_view database,
                                                 std::string_view collection) {
  Bytes command =
      bson::Builder().Append("listIndexes", collection).Append("cursor", bson::Document()).Finish();
  return List({std::string(database),
               std::move(command),
               "listing indexes of " + FullName(database, collection),
               {kNamespaceNotFound, kCommandNotSupportedOnView}});
}

std::string DriverConnection::Flavor() {
  {
    const MutexLock lock(mutex_);
    if (!flavor_.empty()) {
      return flavor_;
    }
  }
  ServerFacts facts;
  ReadBuildInfo(facts);
  const MutexLock lock(mutex_);
  flavor_ = facts.flavor;
  return flavor_;
}

void DriverConnection::Find(const Query& query,
                            const std::stop_token& stop,
                            const std::function<void(ByteView)>& visit) {
  const bool bounded = Flavor() == "mongodb";  // it ends a reply at 16 MB by itself
  const BorrowedClient client(pool_.get());
  const std::string doing = At("reading " + FullName(query.database, query.collection));
  const CollectionHandle handle(
      mongoc_client_get_collection(client.get(), query.database.c_str(), query.collection.c_str()));
  bson::Builder options;
  if (!bson::Document(query.sort).empty()) {
    options.Append("sort", bson::Document(query.sort));
  }
  if (!query.hint.empty()) {
    options.Append("hint", bson::Document(query.hint));
  }
  if (!query.min.empty()) {
    options.Append("min", bson::Document(query.min));
  }
  if (!bounded) {
    options.Append("batchSize", std::int64_t{1});
  }
  const Bytes options_bytes = options.Finish();
  const BsonView filter_view(query.filter);
  const BsonView options_view(options_bytes);
  const CursorHandle cursor(mongoc_collection_find_with_opts(
      handle.get(), filter_view.get(), options_view.get(), nullptr));
  const auto read = [&](auto batch) {
    const bson_t* document = nullptr;
    while (mongoc_cursor_next(cursor.get(), &document)) {
      if (stop.stop_requested()) {
        throw Error(ErrorCode::kCancelled, doing + ": cancelled");
      }
      if (batch.Saw(document->len)) {
        mongoc_cursor_set_batch_size(cursor.get(), static_cast<std::uint32_t>(batch.next()));
      }
      visit(BytesOf(document));
    }
  };
  if (bounded) {
    read(AverageBatch(reply_size_));
  } else {
    read(CarefulBatch(reply_size_));
  }
  ThrowIfFailed(cursor.get(), doing);
}

void DriverConnection::ForEachDocument(std::string_view database,
                                       std::string_view collection,
                                       const std::stop_token& stop,
                                       const std::function<void(ByteView)>& visit) {
  const Bytes all = bson::Builder().Finish();
  Find({std::string(database), std::string(collection), all, all}, stop, visit);
}

void DriverConnection::ForEachById(std::string_view database,
                                   std::string_view collection,
                                   const std::stop_token& stop,
                                   const std::function<void(ByteView)>& visit) {
  Find({std::string(database),
        std::string(collection),
        bson::Builder().Finish(),
        bson::Builder().Append("_id", std::int32_t{1}).Finish()},
       stop,
       visit);
}

void DriverConnection::ForEachFromId(std::string_view database,
                                     std::string_view collection,
                                     ByteView from,
                                     const std::stop_token& stop,
                                     const std::function<void(ByteView)>& visit) {
  const Bytes by_id = bson::Builder().Append("_id", std::int32_t{1}).Finish();
  Bytes min;
  if (!from.empty()) {
    min = bson::Builder().AppendElement("_id", *bson::Document(from).begin()).Finish();
  }
  Find({.database = std::string(database),
        .collection = std::string(collection),
        .filter = bson::Builder().Finish(),
        .sort = by_id,
        .hint = by_id,
        .min = std::move(min)},
       stop,
       visit);
}

void DriverConnection::FindByIds(std::string_view database,
                                 std::string_view collection,
                                 const std::vector<Bytes>& ids,
                                 const std::function<void(ByteView)>& visit) {
  Find({std::string(database), std::string(collection), FilterOfIds(ids), bson::Builder().Finish()},
       {},
       visit);
}

void DriverConnection::InsertMany(std::string_view database,
                                  std::string_view collection,
                                  const std::vector<ByteView>& documents) {
  const BorrowedClient client(pool_.get());
  InsertDocuments(client.get(), PlaceOf(database, collection), documents);
}

void DriverConnection::ReplaceMany(std::string_view database,
                                   std::string_view collection,
                                   const std::vector<ByteView>& documents) {
  // FerretDB reads the whole collection for every replacement.
  const ReplaceBy by = Flavor() == "ferretdb" ? ReplaceBy::kRecreating : ReplaceBy::kReplacing;
  const BorrowedClient client(pool_.get());
  ReplaceDocuments(client.get(), PlaceOf(database, collection), documents, by);
}

void DriverConnection::DeleteMany(std::string_view database,
                                  std::string_view collection,
                                  const std::vector<Bytes>& ids) {
  const BorrowedClient client(pool_.get());
  DeleteDocuments(client.get(), PlaceOf(database, collection), ids);
}

std::uint64_t DriverConnection::Count(std::string_view database, std::string_view collection) {
  const Bytes command = bson::Builder().Append("count", collection).Finish();
  const Bytes reply = RunCommand(database, bson::Document(command));
  const auto n = bson::Document(reply).Find("n");
  const auto count = n ? n->AsInteger() : std::nullopt;
  if (!count || *count < 0) {
    throw Error(ErrorCode::kUnavailable,
                At("counting " + FullName(database, collection)) + ": the answer has no count");
  }
  return static_cast<std::uint64_t>(*count);
}

void DriverConnection::ReadBuildInfo(ServerFacts& facts) {
  const Bytes command = bson::Builder().Append("buildInfo", std::int32_t{1}).Finish();
  const Bytes reply = RunCommand("admin", bson::Document(command));
  const bson::Document info(reply);
  facts.version = TextMember(info, "version");
  if (info.Find("ferretdbVersion") || info.Find("ferretdb")) {
    facts.flavor = "ferretdb";
  } else {
    facts.flavor = info.Find("modules") || info.Find("storageEngines") ? "mongodb" : "other";
  }
}

// The newest entry; where there is none, or no right to read it, there is no oplog for us.
void DriverConnection::ReadOplogPosition(ServerFacts& facts) {
  const BorrowedClient client(pool_.get());
  const CollectionHandle oplog(mongoc_client_get_collection(client.get(), "local", "oplog.rs"));
  const Bytes sort = bson::Builder().Append("$natural", std::int32_t{-1}).Finish();
  const Bytes options = bson::Builder()
                            .Append("sort", bson::Document(sort))
                            .Append("limit", std::int64_t{1})
                            .Finish();
  const Bytes filter = bson::Builder().Finish();
  const BsonView filter_view(filter);
  const BsonView options_view(options);
  const CursorHandle cursor(mongoc_collection_find_with_opts(
      oplog.get(), filter_view.get(), options_view.get(), nullptr));
  const bson_t* document = nullptr;
  if (!mongoc_cursor_next(cursor.get(), &document)) {
    ThrowIfLost(cursor.get(), At("reading local.oplog.rs"));
    return;
  }
  const auto ts = bson::Document(BytesOf(document)).Find("ts");
  if (ts && ts->type == bson::Type::kTimestamp) {
    facts.has_oplog = true;
    facts.position_increment = LoadLe32(ts->value.data());
    facts.position_seconds = LoadLe32(ts->value.data() + 4);
  }
}

ServerFacts DriverConnection::Facts() {
  ServerFacts facts;
  // isMaster, not hello: every server since 2.0 and every imitation knows it.
  const Bytes command = bson::Builder().Append("isMaster", std::int32_t{1}).Finish();
  const Bytes reply = RunCommand("admin", bson::Document(command));
  const bson::Document hello(reply);
  facts.is_sharded = TextMember(hello, "msg") == "isdbgrid";
  facts.replica_set_name = TextMember(hello, "setName");
  if (const auto wire = hello.Find("maxWireVersion")) {
    facts.max_wire_version = static_cast<int>(wire->AsInteger().value_or(0));
  }
  ReadBuildInfo(facts);
  ReadOplogPosition(facts);
  return facts;
}

// A restore must not be verified against a secondary that lags, nor written without an answer; and
// what has been verified has to outlive an election. So where the string does not say for itself
// how many members are to have a write, it is a majority, as mongorestore asks for and MongoDB 5.0
// does by itself.
void DemandPrimaryAndMajority(mongoc_uri_t* uri) {
  const CHandle<mongoc_read_prefs_t, mongoc_read_prefs_destroy> primary(
      mongoc_read_prefs_new(MONGOC_READ_PRIMARY));
  mongoc_uri_set_read_prefs_t(uri, primary.get());
  const WriteConcernHandle concern(mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri)));
  if (mongoc_write_concern_get_w(concern.get()) == MONGOC_WRITE_CONCERN_W_DEFAULT ||
      !mongoc_write_concern_is_acknowledged(concern.get())) {
    mongoc_write_concern_set_w(concern.get(), MONGOC_WRITE_CONCERN_W_MAJORITY);
  }
  if (mongoc_write_concern_get_wtimeout_int64(concern.get()) == 0) {
    mongoc_write_concern_set_wtimeout_int64(concern.get(), kReplicationTimeout);
  }
  mongoc_uri_set_write_concern(uri, concern.get());
}

void ApplyOptions(mongoc_uri_t* uri, const ConnectionOptions& options) {
  const auto connect = static_cast<std::int32_t>(options.connect_timeout.count());
  const auto socket = static_cast<std::int32_t>(options.socket_timeout.count());
  mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, connect);
  mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, connect);
  mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, socket);
  mongoc_uri_set_option_as_int32(uri, MONGOC_URI_WAITQUEUETIMEOUTMS, socket);
  mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, options.pool_size);
  // One wrapper decides on retries; a driver that repeats by itself would hide what happened.
  mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
  mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
}

}  // namespace

std::unique_ptr<Connection> Connection::Open(const Secret& connection_string,
                                             const ConnectionOptions& options) {
  UriHandle uri = ParseUri(connection_string);
  DemandPrimaryAndMajority(uri.get());
  ApplyOptions(uri.get(), options);
  PoolHandle pool(mongoc_client_pool_new(uri.get()));
  if (pool == nullptr) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading a connection string: its options cannot be used together");
  }
  mongoc_client_pool_set_error_api(pool.get(), MONGOC_ERROR_API_VERSION_2);
  mongoc_client_pool_set_appname(pool.get(), "tidemark");
  return std::make_unique<DriverConnection>(std::move(uri), std::move(pool), options.reply_size);
}

bool IsInternalDatabase(std::string_view name) {
  constexpr std::array<std::string_view, 4> kInternal{"admin", "config", "local", kMarkerDatabase};
  return std::ranges::find(kInternal, name) != kInternal.end();
}

}  // namespace tidemark::mongo
