#include "tests/fault/world.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "bson/builder.h"
#include "engine/check.h"
#include "engine/document_reader.h"

namespace tidemark::fault {
namespace {

constexpr const char* kDatabase = "shop";

std::string CollectionName(std::size_t number) {
  return "c" + std::to_string(number);
}

template <class Id>
Id FilledId(std::uint8_t fill) {
  std::array<std::uint8_t, 12> bytes{};
  bytes.fill(fill);
  return Id(ObjectId(bytes));
}

// What differs, without the documents themselves.
std::string Difference(const Content& expected, const Content& found) {
  for (const auto& [name, documents] : expected) {
    const auto there = found.find(name);
    if (there == found.end()) {
      return name + " is missing";
    }
    if (there->second != documents) {
      return name + " holds " + std::to_string(there->second.size()) + " documents, not the " +
             std::to_string(documents.size()) + " that were there";
    }
  }
  return found.size() == expected.size() ? "" : "more collections than there were";
}

std::string FaultOfSnapshot(repo::Repository& repository,
                            const SnapshotId& id,
                            const Content& content) {
  try {
    const std::string difference = Difference(content, ReadContent(repository, id));
    return difference.empty() ? "" : "snapshot " + id.ToString() + ": " + difference;
  } catch (const Error& error) {
    return "reading snapshot " + id.ToString() + ": " + std::string(error.message());
  }
}

std::string FaultOfListing(const std::vector<SnapshotId>& listed, const Expected& expected) {
  for (const auto& [id, content] : expected.committed) {
    if (std::ranges::find(listed, id) == listed.end()) {
      return "snapshot " + id.ToString() + " was committed and is not listed";
    }
  }
  for (const SnapshotId& id : listed) {
    if (!expected.committed.contains(id) && !expected.possible.contains(id)) {
      return "snapshot " + id.ToString() + " is listed and should not be";
    }
  }
  return {};
}

std::string FaultOfCheck(Session& session, bool read_data) {
  const engine::CheckReport report =
      engine::CheckRepository(session.repository(),
                              TestNames().project,
                              {.read_percent = read_data ? 100.0 : 0.0},
                              session.random(),
                              session.Context());
  return report.findings.total() == 0
             ? ""
             : "check: " + engine::FormatFinding(report.findings.findings().front());
}

}  // namespace

const Names& TestNames() {
  static const Names names = [] {
    Names made{.project = FilledId<ProjectId>(0x11), .cluster = FilledId<ClusterId>(0x31)};
    made.master.fill(7);
    made.next_master.fill(8);
    return made;
  }();
  return names;
}

Model::Model(std::uint64_t seed, const Shape& shape)
    : random_(seed), shape_(shape), collections_(shape.collections) {
  for (auto& documents : collections_) {
    for (std::size_t i = 0; i < shape_.documents; ++i) {
      const auto id = static_cast<std::int64_t>(i * 10);
      documents.emplace(id, NewDocument(id));
    }
  }
}

Bytes Model::NewDocument(std::int64_t id) {
  const std::size_t size = shape_.text / 4 + random_.Next() % (shape_.text / 4 + 1);
  return bson::Builder().Append("_id", id).Append("text", RandomHex(random_, size)).Finish();
}

void Model::Churn() {
  for (auto& documents : collections_) {
    for (std::size_t i = 0; i < shape_.documents / 10 + 1; ++i) {
      const auto id = static_cast<std::int64_t>(random_.Next() % (shape_.documents * 10));
      documents.insert_or_assign(id, NewDocument(id));
    }
    while (documents.size() > shape_.documents) {
      const auto from = static_cast<std::int64_t>(random_.Next() % (shape_.documents * 10));
      const auto victim = documents.lower_bound(from);
      documents.erase(victim == documents.end() ? documents.begin() : victim);
    }
  }
}

Content Model::Now() const {
  Content content;
  for (std::size_t i = 0; i < collections_.size(); ++i) {
    std::vector<Bytes>& documents = content[std::string(kDatabase) + "." + CollectionName(i)];
    for (const auto& [id, document] : collections_[i]) {
      documents.push_back(document);
    }
  }
  return content;
}

engine::MemorySource Model::Source() const {
  engine::MemorySource source;
  source.catalog().mongodb_version = "6.0.16";
  source.catalog().databases = {kDatabase};
  for (std::size_t i = 0; i < collections_.size(); ++i) {
    std::vector<Bytes> documents;
    for (const auto& [id, document] : collections_[i]) {
      documents.push_back(document);
    }
    engine::SourceNamespace& ns = source.Add(kDatabase, CollectionName(i), std::move(documents));
    ns.options = bson::Builder().Finish();
  }
  return source;
}

repo::Repository& Session::OpenAsOwner(const repo::MasterKey& key) {
  Open(key).DropSessions();
  return *repository_;
}

repo::Repository& Session::Open(const repo::MasterKey& key) {
  repository_ = repo::Repository::Open(*store_, key, random_);
  return *repository_;
}

void Session::Take(engine::SnapshotSource& source,
                   const SnapshotId& id,
                   const std::optional<SnapshotId>& base,
                   int attempts) {
  repository_->DeleteManifest(TestNames().project, id);
  engine::SnapshotOptions options = SmallOptions(id, base);
  options.attempts = attempts;
  engine::TakeSnapshot(source, *repository_, options, Context());
}

repo::CollectionResult Session::Collect() {
  return repository_->OpenMaintenance(TestNames().project)
      ->Collect({.rewrite_below_percent = 100, .pack_size = KiB(8)}, {});
}

void Session::CollectAll() {
  constexpr int kMaxRounds = 10;
  for (int round = 0; round < kMaxRounds; ++round) {
    if (Collect().state == repo::CollectionState::kNothingToDo) {
      return;
    }
  }
  throw Error(ErrorCode::kInternal, "collecting garbage: it never ends");
}

SnapshotId NextSnapshotId(RandomSource& random) {
  return SnapshotId::Generate(SystemClock().Now(), random);
}

engine::SnapshotOptions SmallOptions(const SnapshotId& id, const std::optional<SnapshotId>& base) {
  return {.snapshot = id,
          .project = TestNames().project,
          .cluster = TestNames().cluster,
          .cluster_name = "c0",
          .base = base,
          .save_every = {1},
          .parallel_namespaces = 1,
          .encode_threads = 1,
          .sort_memory = MiB(1),
          .chunk_size = KiB(2)};
}

Content ReadContent(repo::Repository& repository, const SnapshotId& id) {
  const repo::Manifest manifest = repository.LoadManifest(TestNames().project, id);
  const auto reader = repository.NewReader(TestNames().project);
  Content content;
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    std::vector<Bytes>& documents = content[entry.database + "." + entry.collection];
    engine::ReadDocuments(*reader, entry, {}, [&documents](ByteView document) {
      documents.emplace_back(document.begin(), document.end());
    });
  }
  return content;
}

std::string FaultOf(Session& session, const Expected& expected, bool read_data) {
  try {
    const std::vector<SnapshotId> listed = session.repository().ListManifests(TestNames().project);
    if (std::string fault = FaultOfListing(listed, expected); !fault.empty()) {
      return fault;
    }
    for (const SnapshotId& id : listed) {
      const auto committed = expected.committed.find(id);
      const Content& content =
          committed != expected.committed.end() ? committed->second : expected.possible.at(id);
      if (std::string fault = FaultOfSnapshot(session.repository(), id, content); !fault.empty()) {
        return fault;
      }
    }
    return FaultOfCheck(session, read_data);
  } catch (const Error& error) {
    return "looking at the repository: " + std::string(error.message());
  }
}

}  // namespace tidemark::fault
