#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/fault/world.h"

namespace tidemark::fault {

// What a repository goes through in its life, step by step. Each step may be done again after it
// was cut, as a new process would.
class History {
 public:
  struct Step {
    std::string name;
    // On a store that it opens itself: as a process of its own.
    std::function<void(Session& session)> act;
    // While the step is at work, and after it.
    Expected during;
    Expected after;
    // The keys that have to open the repository while the step is at work. One is enough.
    std::vector<repo::MasterKey> keys;
    repo::MasterKey key_after{};
    bool shredded = false;  // by this step
  };

  explicit History(std::uint64_t seed);

  const std::vector<Step>& steps() const { return steps_; }

 private:
  void Add(std::string name, std::function<void(Session&)> act);
  void AddCreation();
  // Its id.
  void AddSnapshot();
  void AddDeletion(std::size_t snapshot);
  void AddWaitingCollection();
  void AddCollection();
  void AddRotation();
  void AddAllAtOnce();
  void AddReading();
  void AddShredding();

  SystemRandom ids_;
  Model model_;
  std::vector<SnapshotId> snapshots_;
  Expected now_;
  repo::MasterKey key_;
  std::vector<Step> steps_;
};

// What is wrong with a repository that was left while the step was at work, or after it; empty:
// nothing.
std::string FaultDuring(const std::function<std::unique_ptr<blob::BlobStore>()>& open,
                        const History::Step& step);
std::string FaultAfter(const std::function<std::unique_ptr<blob::BlobStore>()>& open,
                       const History::Step& step);

}  // namespace tidemark::fault
