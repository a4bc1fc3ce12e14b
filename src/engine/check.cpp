#include "engine/check.h"

#include <array>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "bson/builder.h"
#include "codec/codec.h"
#include "engine/document_reader.h"
#include "engine/internal/document_key.h"

namespace tidemark::engine {
namespace {

using repo::ChunkRef;
using ListedChunks = std::vector<repo::SnapshotWriter::ListedChunk>;

constexpr std::uint64_t kReportEvery = 64;  // chunks

struct ChunkIdHash {
  std::size_t operator()(const repo::ChunkId& id) const {
    return static_cast<std::size_t>(LoadLe64(id.data()));  // an HMAC: as good as random
  }
};

// Says yes to a share of all chunks, the same ones however often it is asked.
class Sampler {
 public:
  Sampler(double percent, RandomSource& random) : percent_(percent) {
    std::array<std::uint8_t, 8> bytes{};
    random.Fill(bytes);
    salt_ = LoadLe64(bytes.data());
  }

  bool Picks(const repo::ChunkId& id) const {
    constexpr std::uint64_t kSteps = 1'000'000;
    constexpr std::uint64_t kMixer = 0x9e3779b97f4a7c15;  // odd: no two ids fall together
    const std::uint64_t mixed = (LoadLe64(id.data()) ^ salt_) * kMixer >> 20;
    return static_cast<double>(mixed % kSteps) < percent_ / 100 * kSteps;
  }

 private:
  const double percent_;
  std::uint64_t salt_ = 0;
};

[[noreturn]] void FailChunk(const ChunkRef& ref, std::string_view why) {
  throw Error(ErrorCode::kCorrupt,
              "reading data chunk " + HexEncode(ref.id) + ": " + std::string(why));
}

// One listed chunk in its place.
struct ChunkPart {
  const repo::Run& run;
  const ChunkRef& ref;
  const Bytes& first_id;
  const Bytes& end_id;  // where the next one begins; empty at the end of the run
};

void CheckOrder(const ChunkPart& part, const DocumentKey& last, const DocumentKey& key) {
  const std::weak_ordering order = CompareKeys(last, key);
  const bool both_without_id = order == 0 && !key.present;
  if (order >= 0 && !both_without_id) {
    FailChunk(part.ref, "its documents are not in order of _id");
  }
}

void CheckEnd(const ChunkPart& part, const DocumentKey& last) {
  if (!part.end_id.empty()) {
    CheckOrder(part, last, DecodeKey(part.end_id));
    return;
  }
  if (CompareKeys(last, DecodeKey(part.run.last_id)) != 0) {
    FailChunk(part.ref, "its last _id is not the one that the manifest names");
  }
}

// Every document of the chunk, with the digest of them added to `digest`.
void CheckDocuments(const ChunkPart& part,
                    const repo::HashedChunk& chunk,
                    repo::NamespaceDigest& digest) {
  DocumentKey last;  // borrows from the chunk
  std::uint32_t documents = 0;
  for (ByteView rest = chunk.plain; !rest.empty();) {
    const std::size_t size = bson::FrontDocumentSize(rest);
    const bson::Document document(rest.first(size));
    rest = rest.subspan(size);
    digest.AddHash(chunk.hashes[documents]);
    ++documents;
    if (part.run.natural_order) {
      continue;
    }
    const DocumentKey key = KeyOf(document);
    if (documents > 1) {
      CheckOrder(part, last, key);
    } else if (CompareKeys(key, DecodeKey(part.first_id)) != 0) {
      FailChunk(part.ref, "its first _id is not the one it is listed with");
    }
    last = key;
  }
  if (documents != part.ref.documents) {
    FailChunk(part.ref,
              "holds " + std::to_string(documents) + " documents, listed with " +
                  std::to_string(part.ref.documents));
  }
  if (!part.run.natural_order && documents > 0) {
    CheckEnd(part, last);
  }
}

// What a namespace's documents depend on.
codec::Digest FingerprintOf(const repo::NamespaceEntry& entry) {
  Bytes bytes;
  for (const repo::Run& run : entry.runs) {
    bytes.push_back(run.natural_order ? 1 : 0);
    bytes.push_back(run.deletes ? 1 : 0);
    for (const std::vector<ChunkRef>* lists : {&run.lists, &run.key_lists}) {
      for (const ChunkRef& list : *lists) {
        bytes.insert(bytes.end(), list.id.begin(), list.id.end());
      }
    }
  }
  bytes.insert(bytes.end(), entry.digest.sum.begin(), entry.digest.sum.end());
  return codec::Sha256(bytes);
}

class DataChecker {
 public:
  DataChecker(repo::Repository& repository,
              const ProjectId& project,
              const CheckOptions& options,
              RandomSource& random,
              const RunContext& run,
              CheckReport& report)
      : repository_(repository),
        project_(project),
        everything_(options.read_percent >= 100),
        sampler_(options.read_percent, random),
        run_(run),
        reader_(repository.NewReader(project)),
        report_(report) {}

  void Check() {
    for (const SnapshotId& id : repository_.ListManifests(project_)) {
      where_ = {.snapshot = id};
      if (const std::optional<repo::Manifest> manifest = Load(id)) {
        for (const repo::NamespaceEntry& entry : manifest->namespaces) {
          CheckNamespace(entry);
        }
      }
    }
    ReportProgress();
  }

 private:
  enum class Kind { kData, kKeys };

  std::optional<repo::Manifest> Load(const SnapshotId& id);
  void CheckNamespace(const repo::NamespaceEntry& entry);
  void CompareDigest(const repo::NamespaceEntry& entry);
  void ReadMerged(const repo::NamespaceEntry& entry);
  void CheckLists(const repo::Run& run, const std::vector<ChunkRef>& lists, Kind kind);
  std::optional<ListedChunks> LoadList(const ChunkRef& list);
  bool IsWanted(const ChunkRef& ref, Kind kind) const;
  void CheckChunk(const ChunkPart& part, Kind kind);
  void CheckKeys(const ChunkPart& part);
  void ReportProgress() const;
  void AddFinding(std::string_view message, const Bytes& first_id, const Bytes& end_id);

  repo::Repository& repository_;
  const ProjectId project_;
  const bool everything_;
  const Sampler sampler_;
  const RunContext& run_;
  const std::unique_ptr<repo::SnapshotReader> reader_;
  CheckReport& report_;

  std::unordered_set<repo::ChunkId, ChunkIdHash> read_;
  std::set<codec::Digest> compared_;  // fingerprints of namespaces

  // Of the namespace being checked.
  repo::Finding where_;
  bool whole_ = true;               // nothing of it was found damaged
  bool digest_on_the_way_ = false;  // one run, and all of it is read
  repo::NamespaceDigest digest_;
};

void DataChecker::AddFinding(std::string_view message, const Bytes& first_id, const Bytes& end_id) {
  whole_ = false;
  repo::Finding finding = where_;
  finding.first_id = first_id;
  finding.end_id = end_id;
  finding.message = message;
  report_.findings.Add(std::move(finding));
}

// A manifest that does not open is a finding of the structure already.
std::optional<repo::Manifest> DataChecker::Load(const SnapshotId& id) {
  try {
    return repository_.LoadManifest(project_, id);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void DataChecker::CheckNamespace(const repo::NamespaceEntry& entry) {
  const codec::Digest fingerprint = FingerprintOf(entry);
  if (compared_.contains(fingerprint)) {
    return;  // an older snapshot has the same
  }
  where_.name_space = entry.database + "." + entry.collection;
  whole_ = true;
  digest_on_the_way_ = everything_ && entry.runs.size() == 1 && !entry.runs[0].deletes;
  digest_ = {};
  where_.run = 0;
  for (const repo::Run& run : entry.runs) {
    ++where_.run;
    CheckLists(run, run.lists, Kind::kData);
    CheckLists(run, run.key_lists, Kind::kKeys);
  }
  where_.run = 0;
  if (everything_ && whole_) {
    CompareDigest(entry);
  }
  if (everything_ && whole_) {
    compared_.insert(fingerprint);
  }
}

void DataChecker::CompareDigest(const repo::NamespaceEntry& entry) {
  if (!digest_on_the_way_) {
    ReadMerged(entry);
  }
  if (!whole_) {
    return;
  }
  ++report_.namespaces_compared;
  if (digest_.documents != entry.digest.documents) {
    AddFinding("comparing with the manifest: it holds " + std::to_string(digest_.documents) +
                   " documents, the manifest says " + std::to_string(entry.digest.documents),
               {},
               {});
  } else if (digest_ != entry.digest) {
    AddFinding("comparing with the manifest: its documents have another digest", {}, {});
  }
}

void DataChecker::ReadMerged(const repo::NamespaceEntry& entry) {
  digest_ = {};
  try {
    ReadHashedDocuments(*reader_, entry, run_.stop, [this](ByteView, const codec::Digest& hash) {
      digest_.AddHash(hash);
    });
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCancelled) {
      throw;
    }
    AddFinding(error.message(), {}, {});
  }
}

// A list that cannot be read is a finding of the structure already.
std::optional<ListedChunks> DataChecker::LoadList(const ChunkRef& list) {
  try {
    return reader_->LoadList(list);
  } catch (const Error&) {
    whole_ = false;
    return std::nullopt;
  }
}

void DataChecker::CheckLists(const repo::Run& run, const std::vector<ChunkRef>& lists, Kind kind) {
  std::optional<ListedChunks> next = lists.empty() ? std::nullopt : LoadList(lists[0]);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const ListedChunks chunks = std::exchange(next, std::nullopt).value_or(ListedChunks());
    const bool last_list = i + 1 == lists.size();
    next = last_list ? std::nullopt : LoadList(lists[i + 1]);
    const bool known = next && !next->empty();
    const Bytes after = known ? next->front().first_id : Bytes();
    for (std::size_t at = 0; at < chunks.size(); ++at) {
      const bool last = at + 1 == chunks.size();
      const bool end_unknown = last && !last_list && !known;
      const auto& [ref, first_id] = chunks[at];
      // Behind a list that cannot be read nobody knows where the chunk has to end.
      const Bytes& end_id = last ? after : chunks[at + 1].first_id;
      if (IsWanted(ref, kind) && !end_unknown) {
        CheckChunk({run, ref, first_id, end_id}, kind);
      }
    }
  }
}

bool DataChecker::IsWanted(const ChunkRef& ref, Kind kind) const {
  const bool needed_for_digest = digest_on_the_way_ && kind == Kind::kData;
  return needed_for_digest || (sampler_.Picks(ref.id) && !read_.contains(ref.id));
}

void DataChecker::CheckChunk(const ChunkPart& part, Kind kind) {
  if (run_.stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled, "checking the repository: cancelled");
  }
  try {
    if (kind == Kind::kKeys) {
      CheckKeys(part);
    } else {
      CheckDocuments(part, reader_->LoadHashed(part.ref), digest_);
    }
  } catch (const Error& error) {
    AddFinding(error.message(), part.first_id, part.end_id);
  }
  if (read_.insert(part.ref.id).second) {
    ++report_.chunks_read;
    report_.bytes_read += ByteCount{part.ref.plain_size};
  }
  if (report_.chunks_read % kReportEvery == 0) {
    ReportProgress();
  }
}

void DataChecker::CheckKeys(const ChunkPart& part) {
  const repo::KeyBlock block = reader_->LoadKeys(part.ref);
  if (block.fingerprints.size() != part.ref.documents) {
    throw Error(ErrorCode::kCorrupt,
                "reading key chunk " + HexEncode(part.ref.id) + ": holds " +
                    std::to_string(block.fingerprints.size()) + " keys, listed with " +
                    std::to_string(part.ref.documents));
  }
}

void DataChecker::ReportProgress() const {
  if (run_.on_progress) {
    run_.on_progress({.phase = "reading", .bytes_done = report_.bytes_read.value});
  }
}

}  // namespace

CheckReport CheckRepository(repo::Repository& repository,
                            const ProjectId& project,
                            const CheckOptions& options,
                            RandomSource& random,
                            const RunContext& run) {
  if (!(options.read_percent >= 0 && options.read_percent <= 100)) {
    throw Error(ErrorCode::kInvalidArgument,
                "checking the repository: the share to read is a percentage from 0 to 100");
  }
  if (run.on_progress) {
    run.on_progress({.phase = "checking structure"});
  }
  repo::StructureCheck structure = repository.OpenMaintenance(project)->CheckStructure(run.stop);
  CheckReport report{.findings = std::move(structure.findings),
                     .snapshots = structure.snapshots,
                     .chunks = structure.chunks,
                     .packs = structure.packs,
                     .segments = structure.segments};
  if (options.read_percent > 0) {
    DataChecker(repository, project, options, random, run, report).Check();
  }
  return report;
}

std::string IdText(const Bytes& bound) {
  if (bound.empty()) {
    return {};
  }
  bson::Builder builder;
  if (const DocumentKey key = DecodeKey(bound); key.present) {
    builder.AppendElement("_id", key.value);
  }
  const Bytes document = builder.Finish();
  return bson::ToJson(bson::Document(document));
}

std::string FormatFinding(const repo::Finding& finding) {
  std::string text;
  if (finding.snapshot.has_value()) {
    text += "snapshot " + finding.snapshot->ToString() + " ";
  }
  if (!finding.name_space.empty()) {
    text += finding.name_space + " ";
  }
  if (finding.run > 0) {
    text += "run " + std::to_string(finding.run) + " ";
  }
  const std::string first = IdText(finding.first_id);
  const std::string end = IdText(finding.end_id);
  if (!first.empty() || !end.empty()) {
    text += "from " + (first.empty() ? "its start" : first) + " to " +
            (end.empty() ? "its end" : "before " + end) + " ";
  }
  if (!text.empty()) {
    text.back() = ':';
    text += " ";
  }
  return text + finding.message;
}

}  // namespace tidemark::engine
