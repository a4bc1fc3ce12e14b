#include "tests/fault/history.h"

#include <exception>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/error.h"
#include "repo/key_rotation.h"

namespace tidemark::fault {
namespace {

bool Opens(Session& session, const repo::MasterKey& key) {
  try {
    session.OpenAsOwner(key);
    return true;
  } catch (const Error& error) {
    // NotFound: creating it was cut.
    if (error.code() != ErrorCode::kUnauthenticated && error.code() != ErrorCode::kNotFound) {
      throw;
    }
    return false;
  }
}

bool HasKeys(blob::BlobStore& store) {
  bool any = false;
  store.List("keys/", [&any](const std::string&, ByteCount) { any = true; });
  return any;
}

std::string FaultUnder(Session& session, const Expected& expected, bool shredded) {
  if (!shredded) {
    return FaultOf(session, expected, true);
  }
  // Once the key has gone nothing can be read, and nothing has to be.
  return HasKeys(session.store()) ? FaultOf(session, expected, false) : "";
}

// Each in a thread; throws what one of them threw when all have ended.
void RunAtOnce(const std::vector<std::function<void()>>& works) {
  std::vector<std::exception_ptr> failures(works.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < works.size(); ++i) {
      threads.emplace_back([&work = works[i], &failure = failures[i]] {
        try {
          work();
        } catch (...) {  // goes on below
          failure = std::current_exception();
        }
      });
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
}

}  // namespace

History::History(std::uint64_t seed)
    : model_(seed, {.collections = 2, .documents = 30, .text = 200}), key_(TestNames().master) {
  AddCreation();
  AddSnapshot();
  AddSnapshot();
  AddSnapshot();
  AddDeletion(0);
  AddCollection();
  AddDeletion(1);
  AddWaitingCollection();
  AddCollection();
  AddRotation();
  AddSnapshot();
  AddDeletion(2);
  AddAllAtOnce();
  AddReading();
  AddShredding();
}

// What is expected while it is at work is what was there before it; the caller adds to it.
void History::Add(std::string name, std::function<void(Session&)> act) {
  steps_.push_back({.name = std::move(name),
                    .act = std::move(act),
                    .during = now_,
                    .after = now_,
                    .keys = {key_},
                    .key_after = key_});
}

void History::AddCreation() {
  Add("create", [](Session& session) {
    if (!Opens(session, TestNames().master)) {
      repo::Repository::Create(session.store(), TestNames().master, session.random());
    }
  });
  steps_.back().keys = {};
}

void History::AddSnapshot() {
  model_.Churn();
  const SnapshotId id = NextSnapshotId(ids_);
  const auto base = snapshots_.empty() ? std::nullopt : std::optional(snapshots_.back());
  Add("snapshot", [id, base, key = key_, model = model_](Session& session) {
    session.OpenAsOwner(key);
    engine::MemorySource source = model.Source();
    session.Take(source, id, base);
  });
  snapshots_.push_back(id);
  now_.committed[id] = model_.Now();
  steps_.back().during.possible[id] = model_.Now();
  steps_.back().after = now_;
}

void History::AddDeletion(std::size_t snapshot) {
  const SnapshotId id = snapshots_.at(snapshot);
  Add("delete", [id, key = key_](Session& session) {
    session.OpenAsOwner(key).DeleteManifest(TestNames().project, id);
  });
  Step& step = steps_.back();
  step.during.possible.insert(step.during.committed.extract(id));
  now_.committed.erase(id);
  step.after = now_;
}

// Somebody died while he read: nothing is deleted yet.
void History::AddWaitingCollection() {
  Add("condemn", [key = key_](Session& session) {
    session.OpenAsOwner(key);
    session.store().Put(
        "sessions/" + TestNames().project.ToString() + "/" + RandomHex(session.random(), 16), {});
    session.Collect();
  });
}

void History::AddCollection() {
  Add("collect", [key = key_](Session& session) {
    session.OpenAsOwner(key);
    session.CollectAll();
  });
}

void History::AddRotation() {
  const repo::MasterKey next = TestNames().next_master;
  Add("add-key", [key = key_, next](Session& session) {
    repo::AddMasterKey(session.store(), key, next, session.random());
  });
  Add("retire-key",
      [next](Session& session) { repo::RetireOtherMasterKeys(session.store(), next); });
  steps_.back().keys = {next};
  steps_.back().key_after = next;
  key_ = next;
}

// Two snapshots of the same documents and a collection: each sees what the others store.
void History::AddAllAtOnce() {
  model_.Churn();
  const std::vector<SnapshotId> ids{NextSnapshotId(ids_), NextSnapshotId(ids_)};
  Add("all-at-once", [ids, key = key_, model = model_, base = snapshots_.back()](Session& session) {
    session.OpenAsOwner(key);
    std::vector<std::function<void()>> works{[&session] { session.Collect(); }};
    for (const SnapshotId& id : ids) {
      works.emplace_back([&session, &model, id, base] {
        engine::MemorySource source = model.Source();
        session.Take(source, id, base);
      });
    }
    RunAtOnce(works);
  });
  for (const SnapshotId& id : ids) {
    now_.committed[id] = model_.Now();
    steps_.back().during.possible[id] = model_.Now();
  }
  steps_.back().after = now_;
}

// Everything that is there.
void History::AddReading() {
  Add("read", [contents = now_.committed, key = key_](Session& session) {
    session.OpenAsOwner(key);
    for (const auto& [id, content] : contents) {
      if (ReadContent(session.repository(), id) != content) {
        throw std::logic_error("snapshot " + id.ToString() + " reads as something else");
      }
    }
  });
}

void History::AddShredding() {
  Add("shred", [key = key_](Session& session) {
    session.OpenAsOwner(key).ShredProject(TestNames().project);
  });
  Step& step = steps_.back();
  step.during.possible.merge(step.during.committed);
  step.shredded = true;
  now_ = {};
  step.after = now_;
}

std::string FaultDuring(const std::function<std::unique_ptr<blob::BlobStore>()>& open,
                        const History::Step& step) {
  try {
    for (const repo::MasterKey& key : step.keys) {
      Session session(open());
      if (!Opens(session, key)) {
        return "the master key does not open it";
      }
      if (std::string fault = FaultUnder(session, step.during, step.shredded); !fault.empty()) {
        return fault;
      }
    }
    return {};
  } catch (const Error& error) {
    return "opening: " + std::string(error.message());
  }
}

std::string FaultAfter(const std::function<std::unique_ptr<blob::BlobStore>()>& open,
                       const History::Step& step) {
  try {
    Session session(open());
    session.OpenAsOwner(step.key_after);
    if (step.shredded) {
      return HasKeys(session.store()) ? "a key of the deleted project is there" : "";
    }
    return step.name == "create" ? "" : FaultOf(session, step.after, true);
  } catch (const Error& error) {
    return "opening: " + std::string(error.message());
  }
}

}  // namespace tidemark::fault
