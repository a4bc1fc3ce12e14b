#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include <sys/types.h>

#include "tests/support/forwarding_store.h"

// Processes that are killed.
namespace tidemark::fault {

// What parent and child both see. Phases are string literals: the child is a fork, so its pointers
// mean the same to the parent.
class Shared {
 public:
  Shared();
  ~Shared();
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  void Enter(const char* phase) { state_->phase = phase; }

  const char* phase() const { return state_->phase; }

  // For tests of a phase by the parent.
  void Note(int value) { state_->note = value; }

  int note() const { return state_->note; }

  // Forgets all; whoever makes the n-th step from now on is killed, 0: nobody.
  void Reset(std::uint64_t deadly_step = 0);
  void Step();

  std::uint64_t steps() const { return state_->steps; }

 private:
  struct State {
    std::atomic<const char*> phase;
    std::atomic<int> note;
    std::atomic<std::uint64_t> steps;
    std::atomic<std::uint64_t> deadly_step;
  };

  State* state_;  // in memory that forks share
};

enum class Ending { kDone, kFailed, kKilled };

// A fork that runs `work` and ends: with status 0, or, when it throws, with a message on standard
// error and status 1. REQUIRES: this process has no other thread. Killed when still there at the
// end.
class Child {
 public:
  explicit Child(const std::function<void()>& work);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // SIGKILL, then Wait().
  Ending Kill();
  // Waits for its end.
  Ending Wait();
  bool HasEnded();

 private:
  pid_t pid_;
  std::optional<int> status_;
};

// Runs it to its end; throws kInternal unless it was kDone.
std::chrono::microseconds RunChild(const std::function<void()>& work);

// Tells the parent what a child does to its repository; each call is a step.
class PhaseStore final : public blob::ForwardingStore {
 public:
  PhaseStore(std::unique_ptr<blob::BlobStore> inner, Shared& shared)
      : ForwardingStore(*inner), inner_(std::move(inner)), shared_(shared) {}

  void Put(std::string_view name, ByteView bytes) override;
  void Delete(std::string_view name) override;
  Bytes Get(std::string_view name) override;
  void List(std::string_view prefix,
            const std::function<void(const std::string& name, ByteCount size)>& visit) override;
  Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override;

 private:
  std::unique_ptr<blob::BlobStore> inner_;
  Shared& shared_;
};

}  // namespace tidemark::fault
