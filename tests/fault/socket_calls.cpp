#include "tests/fault/socket_calls.h"

#include <cerrno>

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/error.h"

namespace tidemark::fault {
namespace {

constexpr std::size_t kMaxFds = 65'536;

std::array<std::atomic<bool>, kMaxFds> connected;
std::atomic<bool> failing{false};
std::atomic<std::size_t> calls{0};
SocketFault the_fault;  // constant while `failing`

bool IsOurs(int fd) {
  return fd >= 0 && static_cast<std::size_t>(fd) < kMaxFds &&
         connected[static_cast<std::size_t>(fd)];
}

void SetOurs(int fd, bool ours) {
  if (fd >= 0 && static_cast<std::size_t>(fd) < kMaxFds) {
    connected[static_cast<std::size_t>(fd)] = ours;
  }
}

// Whether this is the call that fails.
bool IsTheOne(int fd, bool receives) {
  const bool can_fail =
      failing && IsOurs(fd) && (receives || the_fault.how == SocketFault::How::kError);
  return can_fail && ++calls == the_fault.call;
}

int Fail() {
  errno = the_fault.error;
  return -1;
}

template <class Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

FailingSocket::FailingSocket(const SocketFault& fault) {
  TIDEMARK_CHECK(!failing);
  the_fault = fault;
  calls = 0;
  failing = true;
}

FailingSocket::~FailingSocket() {
  failing = false;
}

bool FailingSocket::met() const {
  return calls >= the_fault.call;
}

void ForgetSocket(int fd) {
  SetOurs(fd, false);
}

}  // namespace tidemark::fault

// NOLINTBEGIN(readability-identifier-naming,readability-inconsistent-declaration-parameter-name):
// libc's names
extern "C" {

using namespace tidemark::fault;  // NOLINT(google-build-using-namespace): nothing but definitions
                                  // follows

int connect(int fd, const struct sockaddr* address, socklen_t size) {
  static auto* const real = Real<int(int, const struct sockaddr*, socklen_t)>("connect");
  SetOurs(fd, true);
  return IsTheOne(fd, false) ? Fail() : real(fd, address, size);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  static auto* const real = Real<ssize_t(int, const void*, size_t, int)>("send");
  return IsTheOne(fd, false) ? Fail() : real(fd, bytes, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  static auto* const real = Real<ssize_t(int, const struct msghdr*, int)>("sendmsg");
  return IsTheOne(fd, false) ? Fail() : real(fd, message, flags);
}

ssize_t recv(int fd, void* out, size_t size, int flags) {
  static auto* const real = Real<ssize_t(int, void*, size_t, int)>("recv");
  if (!IsTheOne(fd, true)) {
    return real(fd, out, size, flags);
  }
  switch (the_fault.how) {
    case SocketFault::How::kError:
      return Fail();
    case SocketFault::How::kEnd:
      return 0;
    case SocketFault::How::kShort:
      return real(fd, out, size > 1 ? size / 2 : size, flags);
  }
  return Fail();
}
}
// NOLINTEND(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)
