#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

#include "base/error.h"
#include "base/mutex.h"
#include "base/secret.h"
#include "engine/check.h"
#include "repo/key_export.h"
#include "repo/key_rotation.h"
#include "tests/fault/campaign.h"
#include "tests/fault/world.h"

// Stored objects are changed behind the repository's back. Reading must give what was stored or
// refuse, never anything else; what makes reading refuse a check must find; and a collection must
// not take away what could be read before.
namespace tidemark::fault {
namespace {

using Image = std::map<std::string, Bytes>;  // blobs by name

constexpr std::uint64_t kCollectEvery = 5;  // of the changes
constexpr const char* kPassphrase = "correct horse";
constexpr int kCheapCost = 1;

// The image as a store. Synchronized.
class ImageStore final : public blob::BlobStore {
 public:
  explicit ImageStore(Image image) : image_(std::move(image)) {}

  void Put(std::string_view name, ByteView bytes) override {
    const MutexLock lock(mutex_);
    if (!image_.emplace(std::string(name), Bytes(bytes.begin(), bytes.end())).second) {
      throw Error(ErrorCode::kConflict, "storing blob " + std::string(name) + ": it exists");
    }
  }

  Bytes Get(std::string_view name) override {
    const MutexLock lock(mutex_);
    return At(name);
  }

  Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override {
    const MutexLock lock(mutex_);
    const Bytes& bytes = At(name);
    if (offset > bytes.size() || size > bytes.size() - offset) {
      throw Error(ErrorCode::kCorrupt, "reading blob " + std::string(name) + ": it ends too early");
    }
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    return {first, first + static_cast<std::ptrdiff_t>(size)};
  }

  std::optional<ByteCount> Size(std::string_view name) override {
    const MutexLock lock(mutex_);
    const auto found = image_.find(std::string(name));
    return found == image_.end() ? std::nullopt : std::optional(ByteCount{found->second.size()});
  }

  void List(std::string_view prefix,
            const std::function<void(const std::string&, ByteCount)>& visit) override {
    std::vector<std::pair<std::string, ByteCount>> found;
    {
      const MutexLock lock(mutex_);
      for (const auto& [name, bytes] : image_) {
        if (name.starts_with(prefix)) {
          found.emplace_back(name, ByteCount{bytes.size()});
        }
      }
    }
    for (const auto& [name, size] : found) {
      visit(name, size);
    }
  }

  void Delete(std::string_view name) override {
    const MutexLock lock(mutex_);
    image_.erase(std::string(name));
  }

  Image image() const {
    const MutexLock lock(mutex_);
    return image_;
  }

 private:
  const Bytes& At(std::string_view name) TIDEMARK_REQUIRES(mutex_) {
    const auto found = image_.find(std::string(name));
    if (found == image_.end()) {
      throw Error(ErrorCode::kNotFound, "reading blob " + std::string(name) + ": there is none");
    }
    return found->second;
  }

  mutable Mutex mutex_;
  Image image_ TIDEMARK_GUARDED_BY(mutex_);
};

std::string KindOf(const std::string& name) {
  return name.substr(0, name.find('/'));
}

// A repository with an object of each kind, and older versions of some.
struct Subject {
  Image image;
  Image older;  // blobs that were there before under the same name
  Expected expected;
  SnapshotId unfinished;
  std::size_t finished_namespaces = 0;  // of it
  Bytes key_export;
};

class SubjectMaker {
 public:
  explicit SubjectMaker(std::uint64_t seed)
      : model_(seed, {.collections = 2, .documents = 60, .text = 160}) {}

  Subject Make() {
    auto owned = std::make_unique<ImageStore>(Image{});
    store_ = owned.get();
    session_.emplace(std::move(owned));
    repo::Repository::Create(*store_, TestNames().master, session_->random());
    session_->OpenAsOwner();
    const SnapshotId first = Take(std::nullopt);
    const SnapshotId replaced = Take(first);
    Retake(replaced, first);
    const SnapshotId third = Take(replaced);
    Forget(first);
    Interrupt(third);
    LeaveCollectionWaiting();
    RotateTwice();
    const auto keys = repo::CollectKeys(*store_, TestNames().next_master);
    subject_.key_export =
        repo::SealKeyExport(keys, Secret(kPassphrase), session_->random(), kCheapCost);
    subject_.image = store_->image();
    return std::move(subject_);
  }

 private:
  SnapshotId Take(const std::optional<SnapshotId>& base) {
    model_.Churn();
    const SnapshotId id = NextSnapshotId(session_->random());
    engine::MemorySource source = model_.Source();
    session_->Take(source, id, base);
    subject_.expected.committed[id] = model_.Now();
    return id;
  }

  void KeepOlder(const std::string& prefix) {
    for (const auto& [name, bytes] : store_->image()) {
      if (name.starts_with(prefix)) {
        subject_.older[name] = bytes;
      }
    }
  }

  // Under the same id, as after a crash between manifest and catalog.
  void Retake(const SnapshotId& id, const SnapshotId& base) {
    KeepOlder("manifests/" + TestNames().project.ToString() + "/" + id.ToString());
    model_.Churn();
    engine::MemorySource source = model_.Source();
    session_->Take(source, id, base);
    subject_.expected.committed[id] = model_.Now();
  }

  void Forget(const SnapshotId& id) {
    session_->repository().DeleteManifest(TestNames().project, id);
    subject_.expected.committed.erase(id);
  }

  // Leaves a partial manifest of one namespace.
  void Interrupt(const SnapshotId& base) {
    model_.Churn();
    subject_.unfinished = NextSnapshotId(session_->random());
    engine::MemorySource source = model_.Source();
    std::size_t scans = 0;
    source.SetHook([&scans](std::size_t visited) {
      scans += visited == 0 ? 1 : 0;
      if (scans == 2) {
        throw Error(ErrorCode::kUnavailable, "the source is lost");
      }
    });
    try {
      session_->Take(source, subject_.unfinished, base);
    } catch (const Error&) {
    }
    const auto partial =
        session_->repository().LoadPartial(TestNames().project, subject_.unfinished);
    subject_.finished_namespaces = partial.value().namespaces.size();
  }

  // A condemned list, a wait list and the session that is waited for.
  void LeaveCollectionWaiting() {
    store_->Put(
        "sessions/" + TestNames().project.ToString() + "/" + RandomHex(session_->random(), 16), {});
    if (session_->Collect().state != repo::CollectionState::kWaiting) {
      throw Error(ErrorCode::kInternal, "making the subject: the collection does not wait");
    }
  }

  // Once to a key that is given up, then for good; the old key stays beside the new one.
  void RotateTwice() {
    repo::MasterKey lost{};
    lost.fill(99);
    repo::AddMasterKey(*store_, TestNames().master, lost, session_->random());
    KeepOlder("master/00000002");
    const std::string key = "keys/" + TestNames().project.ToString() + "/00000002";
    KeepOlder(key);
    store_->Delete("master/00000002");
    repo::AddMasterKey(*store_, TestNames().master, TestNames().next_master, session_->random());
  }

  Model model_;
  std::optional<Session> session_;
  ImageStore* store_ = nullptr;  // the session's
  Subject subject_;
};

// What readers and a check make of an image.
struct Verdict {
  std::size_t equal = 0;    // snapshots that read back, over both keys
  std::size_t refused = 0;  // that did not
  std::size_t wrong = 0;    // that read as something else
  bool found = false;       // by a check, under one of the keys
};

class Judge {
 public:
  explicit Judge(const Subject& subject) : subject_(subject) {}

  Verdict Look(const Image& image) const {
    Verdict verdict;
    for (const repo::MasterKey& key : {TestNames().master, TestNames().next_master}) {
      LookWith(key, image, verdict);
    }
    return verdict;
  }

  // Collects garbage in the image. True when what could be read before still can.
  bool SurvivesCollection(const Image& image) const {
    auto owned = std::make_unique<ImageStore>(image);
    ImageStore* const store = owned.get();
    Session session(std::move(owned));
    try {
      session.OpenAsOwner(TestNames().next_master);
    } catch (const Error&) {
      return true;  // nobody collects what he cannot open
    }
    const std::set<SnapshotId> before = ReadableIn(session);
    try {
      session.CollectAll();
    } catch (const Error&) {  // it refuses: nobody knows what is garbage
    }
    Session again(std::make_unique<ImageStore>(store->image()));
    again.Open(TestNames().next_master);
    return std::ranges::includes(ReadableIn(again), before);
  }

 private:
  void LookWith(const repo::MasterKey& key, const Image& image, Verdict& verdict) const {
    Session session(std::make_unique<ImageStore>(image));
    try {
      session.Open(key);
      verdict.found = verdict.found || FindsFaults(session);
      CountPartial(session, verdict);
    } catch (const Error&) {
      verdict.found = true;
      verdict.refused += subject_.expected.committed.size();
      return;
    }
    for (const auto& [id, content] : subject_.expected.committed) {
      try {
        const bool same = ReadContent(session.repository(), id) == content;
        ++(same ? verdict.equal : verdict.wrong);
      } catch (const Error&) {
        ++verdict.refused;
      }
    }
  }

  static bool FindsFaults(Session& session) {
    return engine::CheckRepository(session.repository(),
                                   TestNames().project,
                                   {.read_percent = 100},
                                   session.random(),
                                   session.Context())
               .findings.total() > 0;
  }

  // A partial manifest that opens must be the one that was saved.
  void CountPartial(Session& session, Verdict& verdict) const {
    try {
      const auto partial =
          session.repository().LoadPartial(TestNames().project, subject_.unfinished);
      if (partial && partial->namespaces.size() != subject_.finished_namespaces) {
        ++verdict.wrong;
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorrupt) {
        throw;
      }
    }
  }

  std::set<SnapshotId> ReadableIn(Session& session) const {
    std::set<SnapshotId> readable;
    for (const auto& [id, content] : subject_.expected.committed) {
      try {
        if (ReadContent(session.repository(), id) == content) {
          readable.insert(id);
        }
      } catch (const Error&) {
      }
    }
    return readable;
  }

  const Subject& subject_;
};

class DamageCampaign {
 public:
  explicit DamageCampaign(const CampaignOptions& options)
      : options_(options),
        random_(options.seed + 1),
        subject_(SubjectMaker(options.seed).Make()),
        judge_(subject_) {
    for (const auto& [name, bytes] : subject_.image) {
      by_kind_[KindOf(name)].push_back(name);
    }
  }

  CampaignReport Run() {
    RequireWholeSubject();
    while (report_.CountOf("flips") < options_.count) {  // a session has no bits
      FlipABit();
    }
    DeleteEach();
    TruncateEach();
    ExchangeAll();
    PutOlderOnes();
    return report_;
  }

 private:
  // Otherwise nothing that follows would mean anything.
  void RequireWholeSubject() {
    const Verdict verdict = judge_.Look(subject_.image);
    for (const char* kind : {"format",
                             "master",
                             "keys",
                             "packs",
                             "index",
                             "partials",
                             "manifests",
                             "sessions",
                             "condemned",
                             "waits"}) {
      if (!by_kind_.contains(kind)) {
        report_.Violation(std::string("the subject has no object of the kind ") + kind);
      }
    }
    if (verdict.found || verdict.refused + verdict.wrong > 0 || verdict.equal == 0) {
      report_.Violation("the subject is damaged before anything was done to it");
    }
  }

  std::uint64_t Below(std::uint64_t bound) { return random_.Next() % bound; }

  // Each kind as often as the others; the key export is one more kind.
  void FlipABit() {
    const std::size_t kind = Below(by_kind_.size() + 1);
    if (kind == by_kind_.size()) {
      FlipInExport();
      return;
    }
    const auto& names = std::next(by_kind_.begin(), static_cast<std::ptrdiff_t>(kind))->second;
    const std::string& name = names[Below(names.size())];
    Image image = subject_.image;
    Bytes& bytes = image.at(name);
    if (bytes.empty()) {
      return;
    }
    const std::uint64_t bit = Below(bytes.size() * 8);
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    report_.Count("flips");
    Weigh("flip-" + KindOf(name), name + " bit " + std::to_string(bit), image);
  }

  void FlipInExport() {
    Bytes file = subject_.key_export;
    const std::uint64_t bit = Below(file.size() * 8);
    file[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    report_.Count("flips");
    if (ExportOpens(file)) {
      report_.Violation("a key export opens with bit " + std::to_string(bit) + " changed");
    }
    report_.Count("flip-export-found");
  }

  static bool ExportOpens(const Bytes& file) {
    try {
      repo::OpenKeyExport(file, Secret(kPassphrase));
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  // `what` is counted with what came of it.
  void Weigh(const std::string& what, const std::string& detail, const Image& image) {
    const Verdict verdict = judge_.Look(image);
    if (verdict.wrong > 0) {
      report_.Violation(what + " " + detail + ": a snapshot reads as something else");
    }
    const std::string outcome = verdict.found         ? "-found"
                                : verdict.refused > 0 ? "-refused"
                                                      : "-unneeded";
    report_.Count(what + outcome);
    const bool names_tell = what == "delete-manifests";  // the catalog knows the snapshot's name
    if (verdict.refused > 0 && !verdict.found && !names_tell) {
      report_.Violation(what + " " + detail +
                        ": a snapshot cannot be read, and the check is clean");
    }
    // A chunk that no snapshot needs is not read; then nothing may depend on it.
    const bool flip_unneeded = what.starts_with("flip-") && !verdict.found;
    if (flip_unneeded && what != "flip-packs") {
      report_.Violation(what + " " + detail + ": nobody finds it");
    }
    const bool collect = flip_unneeded || ++weighed_ % kCollectEvery == 0;
    if (collect && !judge_.SurvivesCollection(image)) {
      report_.Violation(what + " " + detail + ": a collection took away what could be read");
    }
  }

  void DeleteEach() {
    for (const auto& [name, bytes] : subject_.image) {
      Image image = subject_.image;
      image.erase(name);
      Weigh("delete-" + KindOf(name), name, image);
    }
  }

  // To nothing, by a byte, to any length; and with a byte too much.
  void TruncateEach() {
    for (const auto& [name, bytes] : subject_.image) {
      std::set<std::size_t> lengths{bytes.size() + 1};
      if (!bytes.empty()) {
        lengths.insert({0, bytes.size() - 1, Below(bytes.size()), Below(bytes.size())});
      }
      for (const std::size_t length : lengths) {
        Image image = subject_.image;
        image.at(name).resize(length);
        Weigh("resize-" + KindOf(name), name + " to " + std::to_string(length), image);
      }
    }
    for (std::size_t length = 0; length < subject_.key_export.size(); ++length) {
      const Bytes file(subject_.key_export.begin(),
                       subject_.key_export.begin() + static_cast<std::ptrdiff_t>(length));
      if (ExportOpens(file)) {
        report_.Violation("a key export opens when cut to " + std::to_string(length));
      }
    }
  }

  // Any two objects of a kind.
  void ExchangeAll() {
    for (const auto& [kind, names] : by_kind_) {
      for (std::size_t i = 0; i < names.size(); ++i) {
        for (std::size_t j = i + 1; j < names.size(); ++j) {
          Image image = subject_.image;
          std::swap(image.at(names[i]), image.at(names[j]));
          Weigh("exchange-" + kind, names[i] + " and " + names[j], image);
        }
      }
    }
  }

  // An older version opens, because it is genuine: that cannot be told from inside. What must not
  // happen is that a collection deletes something because of it.
  void PutOlderOnes() {
    for (const auto& [name, bytes] : subject_.older) {
      Image image = subject_.image;
      image[name] = bytes;
      const Verdict verdict = judge_.Look(image);
      const char* outcome =
          verdict.wrong > 0 ? "-reads-as-the-older" : (verdict.found ? "-found" : "-unneeded");
      report_.Count("older-" + KindOf(name) + outcome);
      if (verdict.wrong > 0 && KindOf(name) != "manifests") {
        report_.Violation("older " + name + ": a snapshot reads as something else");
      }
      if (!judge_.SurvivesCollection(image)) {
        report_.Violation("older " + name + ": a collection took away what could be read");
      }
    }
  }

  const CampaignOptions options_;
  SeededRandom random_;
  const Subject subject_;
  const Judge judge_;
  std::map<std::string, std::vector<std::string>> by_kind_;
  CampaignReport report_;
  std::uint64_t weighed_ = 0;
};

}  // namespace

CampaignReport DamageObjects(const CampaignOptions& options) {
  return DamageCampaign(options).Run();
}

}  // namespace tidemark::fault
