#pragma once

#include <cstddef>

// This program's calls on sockets that it has connected, failed one by one: socket_calls.cpp
// defines connect, send and recv in place of libc's. A server in the same program is not touched:
// its sockets are accepted ones.
namespace tidemark::fault {

struct SocketFault {
  enum class How { kError, kEnd, kShort };

  How how = How::kError;
  int error = 0;         // errno of kError
  std::size_t call = 0;  // the n-th call that can fail so, from 1
};

// Lets one call fail while it lives. One at a time in a process.
class FailingSocket {
 public:
  explicit FailingSocket(const SocketFault& fault);
  ~FailingSocket();
  FailingSocket(const FailingSocket&) = delete;
  FailingSocket& operator=(const FailingSocket&) = delete;

  // Whether the call has come.
  bool met() const;
};

// For file_calls.cpp, which has close().
void ForgetSocket(int fd);

}  // namespace tidemark::fault
