#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>

// Files that are pushed over SSH. The only home of libssh: none of its types crosses this header.
namespace tidemark::delivery {

struct SftpDestination {
  std::string host;
  std::uint16_t port = 22;
  std::string user;
  std::string key_file;   // the private key of `user`, without a passphrase
  std::string directory;  // on the server; has to be there
  // "SHA256:" and the base64 of the digest, as ssh-keygen -l prints it. Another key is refused.
  std::string host_key;
};

struct PushedFile {
  std::uint64_t size = 0;
  std::string sha1;  // lower-case hex
};

struct PushRun {
  std::stop_token stop;
  std::chrono::milliseconds connect_timeout{15000};
  std::chrono::milliseconds quiet_timeout{60000};  // without a byte either way
  std::function<void(std::uint64_t sent)> report;  // bytes of the file so far
};

// Fills `to` from its front and says how far; 0 at the end.
using PushSource = std::function<std::size_t(std::span<std::uint8_t> to)>;

// What is wrong with it, as a sentence; empty when nothing is. Does not connect.
std::string DestinationProblem(const SftpDestination& destination);

// Writes what `source` gives to "<name>.part" in the directory, reads it back, compares size and
// SHA-1, and renames it to `name`: a file of that name is whole. Replaces what has these names. A
// cut leaves the .part file, which the next try writes anew. Memory: 128 KiB and the library's own
// copies of it; each such piece is a round trip. Blocks; may be repeated with a source that gives
// the same. kPermissionDenied: host key, login or rights; kNotFound: the directory; kUnavailable:
// connection; kTimeout; kIo: the server could not write (a full disk), or holds something else;
// kCancelled.
PushedFile PushFile(const SftpDestination& destination,
                    const std::string& name,
                    const PushSource& source,
                    const PushRun& run);

}  // namespace tidemark::delivery
