#include "tests/fault/child.h"

#include <array>
#include <cstdio>
#include <new>
#include <utility>

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

namespace tidemark::fault {
namespace {

// Of a name's first part.
const char* PhaseOf(std::string_view name, bool deletes) {
  struct Row {
    std::string_view prefix;
    const char* put;
    const char* deleted;
  };

  static constexpr std::array kRows{
      Row{"packs/", "put-pack", "delete-pack"},
      Row{"index/", "put-index", "delete-index"},
      Row{"partials/", "put-partial", "delete-partial"},
      Row{"manifests/", "put-manifest", "delete-manifest"},
      Row{"sessions/", "begin", "end"},
      Row{"condemned/", "put-condemned", "delete-condemned"},
      Row{"waits/", "put-wait-list", "delete-wait-list"},
      Row{"keys/", "put-key", "delete-key"},
  };
  for (const Row& row : kRows) {
    if (name.starts_with(row.prefix)) {
      return deletes ? row.deleted : row.put;
    }
  }
  return "other";
}

}  // namespace

Shared::Shared() {
  void* memory =
      mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    ThrowErrno(errno, "mapping", "shared memory");
  }
  state_ = new (memory) State{};
  Reset();
}

Shared::~Shared() {
  munmap(state_, sizeof(State));
}

void Shared::Reset(std::uint64_t deadly_step) {
  state_->phase = "start";
  state_->note = 0;
  state_->steps = 0;
  state_->deadly_step = deadly_step;
}

void Shared::Step() {
  if (++state_->steps == state_->deadly_step) {
    kill(getpid(), SIGKILL);
  }
}

Child::Child(const std::function<void()>& work) : pid_(fork()) {
  if (pid_ < 0) {
    ThrowErrno(errno, "forking", "a child");
  }
  if (pid_ > 0) {
    return;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int status = 0;
  try {
    work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
    status = 1;
  }
  _exit(status);
}

Child::~Child() {
  if (!status_) {
    Kill();
  }
}

Ending Child::Kill() {
  if (!status_) {
    kill(pid_, SIGKILL);
  }
  return Wait();
}

Ending Child::Wait() {
  if (!status_) {
    int status = 0;
    if (waitpid(pid_, &status, 0) < 0) {
      ThrowErrno(errno, "waiting for", "a child");
    }
    status_ = status;
  }
  if (WIFSIGNALED(*status_)) {
    return Ending::kKilled;
  }
  return WEXITSTATUS(*status_) == 0 ? Ending::kDone : Ending::kFailed;
}

bool Child::HasEnded() {
  int status = 0;
  if (!status_ && waitpid(pid_, &status, WNOHANG) > 0) {
    status_ = status;
  }
  return status_.has_value();
}

std::chrono::microseconds RunChild(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  if (Child(work).Wait() != Ending::kDone) {
    throw Error(ErrorCode::kInternal, "running a child: it has failed");
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                               begin);
}

void PhaseStore::Put(std::string_view name, ByteView bytes) {
  shared_.Enter(PhaseOf(name, false));
  shared_.Step();
  ForwardingStore::Put(name, bytes);
}

void PhaseStore::Delete(std::string_view name) {
  shared_.Enter(PhaseOf(name, true));
  shared_.Step();
  ForwardingStore::Delete(name);
}

Bytes PhaseStore::Get(std::string_view name) {
  shared_.Step();
  return ForwardingStore::Get(name);
}

void PhaseStore::List(std::string_view prefix,
                      const std::function<void(const std::string& name, ByteCount size)>& visit) {
  shared_.Step();
  ForwardingStore::List(prefix, visit);
}

Bytes PhaseStore::GetRange(std::string_view name, std::uint64_t offset, std::size_t size) {
  if (name.starts_with("packs/")) {
    shared_.Enter("read-pack");
  }
  shared_.Step();
  return ForwardingStore::GetRange(name, offset, size);
}

}  // namespace tidemark::fault
