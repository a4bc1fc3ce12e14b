#include "delivery/internal/namespace_restore.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "delivery/internal/namespace_load.h"
#include "delivery/internal/target_limits.h"

namespace tidemark::delivery {
namespace {

// For steps on a collection that was dropped just before. A conflict there is a write of a run that
// was killed, or of a connection that broke, and arrives late: worth another attempt.
template <class Step>
void OrArrivedLate(Step step) {
  try {
    step();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Error(ErrorCode::kUnavailable,
                std::string(error.message()),
                "is another client writing to the target?");
  }
}

// The server deletes old documents of such a namespace by itself, from its creation on.
bool ExpiresByItself(const repo::NamespaceEntry& entry) {
  return bson::Document(entry.options).Find("expireAfterSeconds").has_value();
}

std::string Difference(const repo::NamespaceDigest& found, const repo::NamespaceDigest& wanted) {
  return found.documents == wanted.documents
             ? "as many documents, but not the same"
             : std::to_string(found.documents) + " documents instead of " +
                   std::to_string(wanted.documents);
}

// What makes a collection be written anew instead of being changed. A conflict is a unique index
// that refuses changes in any order that a bulk has: two documents swap their values.
bool IsObstacle(ErrorCode code) {
  return code == ErrorCode::kUnsupported || code == ErrorCode::kConflict ||
         code == ErrorCode::kInvalidArgument;
}

}  // namespace

NamespaceRestore::NamespaceRestore(RestoreParts& parts, std::size_t index)
    : parts_(parts),
      target_(parts.target),
      index_(index),
      entry_(parts.manifest.namespaces[index]),
      name_(NameOf(entry_)) {}

// Creates a namespace that nobody else can have created. From then on it may be dropped.
void NamespaceRestore::Claim() {
  if (parts_.checkpoint.IsClaimed(index_)) {
    return;
  }
  const auto refuse = [this] {
    throw Error(ErrorCode::kConflict,
                "creating " + name_ + ": the target has something of that name",
                "it was created after the restore had chosen the name; start another one");
  };
  if (target_.FindNamespace(entry_.database, entry_.collection)) {
    refuse();
  }
  parts_.checkpoint.MarkClaimed(index_);  // first: a crash behind the creation must not disown it
  try {
    target_.CreateCollection(entry_);
  } catch (const Error& error) {
    if (IsRetryable(error.code())) {
      throw;  // it may have been created
    }
    parts_.checkpoint.TakeBackClaim(index_);
    if (error.code() == ErrorCode::kConflict) {
      refuse();
    }
    throw error.WithContext("creating " + name_);
  }
}

// May be repeated, whatever an earlier attempt has left behind.
domain::RestoreChanges NamespaceRestore::Write(const std::stop_token& stop) {
  parts_.progress.Reached(index_, NamespaceStage::kLoading);
  if (parts_.scope.filter) {
    return WritePicked(stop);
  }
  if (parts_.scope.mode == RestoreMode::kCreate) {
    Claim();
  }
  const bool is_delta = parts_.scope.mode == RestoreMode::kDelta;
  if (is_delta || parts_.checkpoint.IsBegun(index_)) {
    if (const auto changes = ChangeInPlace(stop)) {
      return is_delta ? *changes : domain::RestoreChanges();
    }
  }
  const domain::RestoreChanges all = Rewrite(stop);
  return is_delta ? all : domain::RestoreChanges();
}

// FerretDB sorts all of a collection to compare it: that takes longer than writing it.
bool NamespaceRestore::IsWorthGoingOn() const {
  return parts_.facts.flavor != "ferretdb" &&
         entry_.logical_bytes >= parts_.options.go_on_from.value;
}

// From nothing.
domain::RestoreChanges NamespaceRestore::Rewrite(const std::stop_token& stop) {
  Doing("dropping " + name_, [&] { target_.DropCollection(entry_.database, entry_.collection); });
  OrArrivedLate([&] {
    Doing("creating " + name_, [&] { target_.CreateCollection(entry_); });
    if (IsWorthGoingOn()) {
      parts_.checkpoint.MarkBegun(index_);
    }
    Doing("loading " + name_, [&] { Load(stop); });
  });
  // Before the indexes: from then on a TTL index deletes what has expired.
  Verify(stop);
  BuildIndexes();  // after the data: a bulk build is cheaper
  return {.inserted = static_cast<std::int64_t>(entry_.digest.documents)};
}

// Nullopt when the collection has to be written anew.
std::optional<domain::RestoreChanges> NamespaceRestore::ChangeInPlace(const std::stop_token& stop) {
  const auto found = target_.FindNamespace(entry_.database, entry_.collection);
  if (!found) {
    return std::nullopt;
  }
  const InPlace plan = PlanInPlace(parts_.facts, entry_, *found);
  std::string obstacle = plan.obstacle;
  if (obstacle.empty()) {
    try {
      Prepare(plan);
      return Compare(stop);
    } catch (const Error& error) {
      if (!IsObstacle(error.code())) {
        throw;
      }
      obstacle = error.message();
    }
  }
  const std::string note = name_ + " was written anew: " + obstacle;
  if (parts_.scope.mode == RestoreMode::kDelta) {
    parts_.Note(note);
  } else {  // as it would have been without the cut
    parts_.run.log.Info("restore={}  {}", parts_.options.job, note);
  }
  return std::nullopt;
}

void NamespaceRestore::Prepare(const InPlace& plan) const {
  if (plan.options) {
    const Bytes& options = *plan.options;
    Doing("changing the options of " + name_, [&] { target_.ChangeOptions(entry_, options); });
  }
  for (const std::string& index : plan.drop_indexes) {
    Doing("dropping an index of " + name_, [&] { target_.DropIndex(entry_, index); });
  }
}

domain::RestoreChanges NamespaceRestore::Compare(const std::stop_token& stop) {
  domain::RestoreChanges changes;
  Counting([&](const Written& compared) {
    changes = DeltaLoad{parts_.reader, target_, entry_, compared}.Run(stop);
    Verify(stop);  // before the indexes, as in Rewrite
  });
  BuildIndexes();
  return changes;
}

// The collection stays as it is but for the picked documents.
domain::RestoreChanges NamespaceRestore::WritePicked(const std::stop_token& stop) {
  const auto found = target_.FindNamespace(entry_.database, entry_.collection);
  if (found && found->type != "collection") {
    throw Error(ErrorCode::kConflict,
                "writing to " + name_ + ": the target has a " + found->type + " of that name");
  }
  if (!found) {
    Doing("creating " + name_, [&] { target_.CreateCollection(entry_); });
    Doing("building the indexes of " + name_, [&] { target_.CreateIndexes(entry_); });
  }
  TIDEMARK_CHECK(parts_.scope.filter.has_value());
  const IdFilter& ids = parts_.scope.filter->ids;
  domain::RestoreChanges changes;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  Counting([&](const Written& written) {
    const auto seen = [&](std::uint64_t more_documents, std::uint64_t more_bytes) {
      documents += more_documents;
      bytes += more_bytes;
      written(more_documents, more_bytes);
    };
    Doing("writing to " + name_,
          [&] { changes = FilteredLoad{parts_.reader, target_, entry_, ids, seen}.Run(stop); });
  });
  // The rest was not even read.
  parts_.progress.Written(index_,
                          entry_.digest.documents - std::min(documents, entry_.digest.documents),
                          entry_.logical_bytes - std::min(bytes, entry_.logical_bytes));
  return changes;
}

// Calls `body` with what reports progress; takes that back when it fails.
void NamespaceRestore::Counting(const std::function<void(const Written& written)>& body) {
  std::atomic<std::uint64_t> documents{0};
  std::atomic<std::uint64_t> bytes{0};
  const Written written = [&](std::uint64_t more_documents, std::uint64_t more_bytes) {
    documents += more_documents;
    bytes += more_bytes;
    parts_.progress.Written(index_, more_documents, more_bytes);
  };
  try {
    body(written);
  } catch (const Error&) {
    parts_.progress.Forget(index_, documents, bytes);
    throw;
  }
}

void NamespaceRestore::Load(const std::stop_token& stop) {
  Counting([&](const Written& written) {
    NamespaceLoad{parts_.reader, target_, entry_, parts_.options.writers, written}.Run(stop);
  });
}

// Nothing is called restored that was not read back.
void NamespaceRestore::Verify(const std::stop_token& stop) {
  parts_.progress.Reached(index_, NamespaceStage::kVerifying);
  repo::NamespaceDigest found;
  Doing("verifying " + name_, [&] { found = target_.ReadDigest(entry_, stop); });
  if (found == entry_.digest) {
    return;
  }
  const std::string what = Difference(found, entry_.digest);
  if (ExpiresByItself(entry_) && found.documents < entry_.digest.documents) {
    parts_.Note(name_ + " expires by itself: " + what);
    return;
  }
  throw Error(ErrorCode::kConflict,
              "restored " + name_ + " differs from the snapshot: " + what,
              parts_.facts.flavor == "ferretdb"
                  ? "is another client writing to the target? FerretDB also changes some values, "
                    "-0.0 becomes 0.0"
                  : "is another client writing to the target?");
}

void NamespaceRestore::BuildIndexes() {
  parts_.progress.Reached(index_, NamespaceStage::kIndexing);
  Doing("building the indexes of " + name_, [&] { target_.CreateIndexes(entry_); });
}

void NamespaceRestore::CreateView() {
  if (parts_.scope.mode == RestoreMode::kCreate) {
    Claim();
  }
  Doing("creating view " + name_, [&] {
    target_.DropCollection(entry_.database, entry_.collection);
    target_.CreateCollection(entry_);
  });
}

}  // namespace tidemark::delivery
