#include "base/error.h"
#include "bson/builder.h"
#include "delivery/cluster_restore.h"
#include "delivery/internal/accounts.h"
#include "delivery/internal/target_limits.h"

namespace tidemark::delivery {
namespace {

// The measurements of a time-series collection lie in its buckets, which is what a snapshot holds.
std::string DataCollection(const repo::NamespaceEntry& entry) {
  const bool buckets = entry.kind == repo::NamespaceKind::kTimeseries;
  return buckets ? "system.buckets." + entry.collection : entry.collection;
}

std::string TextMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? std::string(element->AsString().value_or("")) : std::string();
}

class ClusterTarget final : public RestoreTarget {
 public:
  explicit ClusterTarget(mongo::Connection& connection)
      : connection_(connection), facts_(connection.Facts()) {}

  mongo::ServerFacts Facts() override { return facts_; }

  std::vector<std::string> ListUserDatabases() override {
    std::vector<std::string> names = connection_.ListDatabases();
    std::erase_if(names, mongo::IsInternalDatabase);
    return names;
  }

  void DropDatabase(const std::string& database) override {
    Run(database, bson::Builder().Append("dropDatabase", std::int32_t{1}).Finish());
  }

  void DropCollection(const std::string& database, const std::string& collection) override {
    try {
      Run(database, bson::Builder().Append("drop", collection).Finish());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) {
        throw;
      }
    }
  }

  void CreateCollection(const repo::NamespaceEntry& entry) override {
    const Bytes options = FittingOptions(facts_, entry);
    bson::Builder command;
    command.Append("create", entry.collection);
    for (const bson::Element& option : bson::Document(options)) {
      command.AppendElement(option.name, option);
    }
    Run(entry.database, command.Finish());
  }

  void InsertMany(const repo::NamespaceEntry& entry,
                  const std::vector<ByteView>& documents) override {
    connection_.InsertMany(entry.database, DataCollection(entry), documents);
  }

  void CreateIndexes(const repo::NamespaceEntry& entry) override {
    bson::ArrayBuilder specs;
    for (const Bytes& index : entry.indexes) {
      if (const auto spec = FittingIndex(facts_, bson::Document(index))) {
        specs.Append(bson::Document(*spec));
      }
    }
    const Bytes array = specs.Finish();
    if (!bson::Document(array).empty()) {
      Run(entry.database,
          bson::Builder()
              .Append("createIndexes", entry.collection)
              .AppendArray("indexes", bson::Document(array))
              .Finish());
    }
  }

  repo::NamespaceDigest ReadDigest(const repo::NamespaceEntry& entry,
                                   const std::stop_token& stop) override {
    repo::NamespaceDigest digest;
    connection_.ForEachDocument(
        entry.database, DataCollection(entry), stop, [&digest](ByteView document) {
          digest.Add(document);
        });
    return digest;
  }

  std::optional<FoundNamespace> FindNamespace(const std::string& database,
                                              const std::string& collection) override {
    const Bytes array = DescribeOne(database, collection);
    for (const bson::Element& element : bson::Document(array)) {
      const bson::Document info = element.AsDocument().value_or(bson::Document());
      if (TextMember(info, "name") != collection) {  // not every server knows the filter
        continue;
      }
      const auto options = info.Find("options");
      const auto members = options ? options->AsDocument() : std::nullopt;
      const ByteView bytes = members ? members->bytes() : bson::Document().bytes();
      const std::string type = TextMember(info, "type");  // servers before 3.4 have none
      return FoundNamespace{type.empty() ? "collection" : type,
                            Bytes(bytes.begin(), bytes.end()),
                            connection_.ListIndexes(database, collection)};
    }
    return std::nullopt;
  }

  std::vector<std::string> ListCollections(const std::string& database) override {
    std::vector<std::string> names;
    for (const Bytes& info : connection_.ListCollections(database)) {
      std::string name = TextMember(bson::Document(info), "name");
      if (!name.starts_with("system.")) {
        names.push_back(std::move(name));
      }
    }
    return names;
  }

  void ReadById(const repo::NamespaceEntry& entry,
                const std::stop_token& stop,
                const std::function<void(ByteView document)>& visit) override {
    connection_.ForEachById(entry.database, entry.collection, stop, visit);
  }

  void FindByIds(const repo::NamespaceEntry& entry,
                 const std::vector<Bytes>& ids,
                 const std::function<void(ByteView document)>& visit) override {
    connection_.FindByIds(entry.database, entry.collection, ids, visit);
  }

  void ReplaceMany(const repo::NamespaceEntry& entry,
                   const std::vector<ByteView>& documents) override {
    connection_.ReplaceMany(entry.database, entry.collection, documents);
  }

  void DeleteMany(const repo::NamespaceEntry& entry, const std::vector<Bytes>& ids) override {
    connection_.DeleteMany(entry.database, entry.collection, ids);
  }

  void DropIndex(const repo::NamespaceEntry& entry, const std::string& index) override {
    Run(entry.database,
        bson::Builder().Append("dropIndexes", entry.collection).Append("index", index).Finish());
  }

  void ChangeOptions(const repo::NamespaceEntry& entry, const Bytes& options) override {
    bson::Builder command;
    command.Append("collMod", entry.collection);
    for (const bson::Element& option : bson::Document(options)) {
      command.AppendElement(option.name, option);
    }
    Run(entry.database, command.Finish());
  }

  void CheckAccountsWritable() override { delivery::CheckAccountsWritable(connection_); }

  void ReplaceAccounts(const repo::Accounts& accounts) override {
    delivery::ReplaceAccounts(connection_, accounts);
  }

  void MarkIncomplete(const std::string& job, const std::string& snapshot) override {
    const Bytes mark = bson::Builder().Append("_id", job).Append("snapshot", snapshot).Finish();
    try {
      connection_.InsertMany(mongo::kMarkerDatabase, mongo::kMarkerCollection, {ByteView(mark)});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kConflict) {  // an interrupted run of this job has marked it
        throw;
      }
    }
  }

  std::vector<std::string> ListMarks() override {
    std::vector<std::string> jobs;
    connection_.ForEachDocument(
        mongo::kMarkerDatabase, mongo::kMarkerCollection, {}, [&jobs](ByteView mark) {
          jobs.push_back(TextMember(bson::Document(mark), "_id"));
        });
    return jobs;
  }

  void TakeMark(const std::string& job) override {
    connection_.DeleteMany(mongo::kMarkerDatabase,
                           mongo::kMarkerCollection,
                           {bson::Builder().Append("", job).Finish()});
    if (ListMarks().empty()) {
      TakeAllMarks();
    }
  }

  void TakeAllMarks() override { DropDatabase(std::string(mongo::kMarkerDatabase)); }

 private:
  // The array of listCollections' first batch, which is enough for one name.
  Bytes DescribeOne(const std::string& database, const std::string& collection) {
    const Bytes filter = bson::Builder().Append("name", collection).Finish();
    const Bytes command = bson::Builder()
                              .Append("listCollections", std::int32_t{1})
                              .Append("filter", bson::Document(filter))
                              .Append("cursor", bson::Document())
                              .Finish();
    const Bytes reply = connection_.RunCommand(database, bson::Document(command));
    const auto cursor = bson::Document(reply).Find("cursor");
    const auto members = cursor ? cursor->AsDocument() : std::nullopt;
    const auto batch = members ? members->Find("firstBatch") : std::nullopt;
    const auto array = batch ? batch->AsDocument() : std::nullopt;
    if (!array) {
      throw Error(ErrorCode::kUnavailable,
                  "looking for " + database + "." + collection + ": the answer has no cursor");
    }
    return {array->bytes().begin(), array->bytes().end()};
  }

  void Run(const std::string& database, const Bytes& command) {
    connection_.RunCommand(database, bson::Document(command));
  }

  mongo::Connection& connection_;
  const mongo::ServerFacts facts_;
};

}  // namespace

std::unique_ptr<RestoreTarget> MakeClusterTarget(mongo::Connection& connection) {
  return std::make_unique<ClusterTarget>(connection);
}

}  // namespace tidemark::delivery
