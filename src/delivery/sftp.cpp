#include "delivery/sftp.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/sftp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/c_handle.h"
#include "base/error.h"
#include "base/mutex.h"
#include "codec/sha1.h"

namespace tidemark::delivery {
namespace {

// What one packet may carry on any server (draft-ietf-secsh-filexfer-02, 3), and on one that tells
// its limits: OpenSSH since 8.5, 255 KiB. Each is a round trip.
constexpr std::size_t kPiece = 32768;
constexpr std::size_t kLargePiece = 131072;
constexpr std::chrono::milliseconds kWatchEvery{200};
constexpr mode_t kFileMode = 0600;

std::string At(const SftpDestination& destination) {
  return "pushing to " + destination.host + ":" + std::to_string(destination.port) + ": ";
}

// A connected socket, shut down by whoever wants to end what blocks on it. Synchronized.
class Socket {
 public:
  Socket(const SftpDestination& destination, std::chrono::milliseconds timeout)
      : handle_(Connect(destination, timeout)) {}

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  ~Socket() { close(handle_); }

  int handle() const { return handle_; }

  void ShutDown() const { shutdown(handle_, SHUT_RDWR); }

 private:
  static int Connect(const SftpDestination& destination, std::chrono::milliseconds timeout) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed = getaddrinfo(
        destination.host.c_str(), std::to_string(destination.port).c_str(), &hints, &found);
    if (failed != 0) {
      throw Error(ErrorCode::kUnavailable,
                  At(destination) + "the host is not found: " + gai_strerror(failed));
    }
    const CHandle<addrinfo, freeaddrinfo> addresses(found);
    std::string why = "there is no address";
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      const int handle = Try(*at, timeout, why);
      if (handle >= 0) {
        return handle;
      }
    }
    throw Error(ErrorCode::kUnavailable, At(destination) + "cannot connect: " + why);
  }

  static int Try(const addrinfo& address, std::chrono::milliseconds timeout, std::string& why) {
    const int handle =
        socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (handle < 0) {
      why = std::strerror(errno);
      return -1;
    }
    int error = connect(handle, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd wait{handle, POLLOUT, 0};
      socklen_t size = sizeof(error);
      if (poll(&wait, 1, static_cast<int>(timeout.count())) != 1) {
        error = ETIMEDOUT;
      } else if (getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
      }
    }
    if (error != 0) {
      why = std::strerror(error);
      close(handle);
      return -1;
    }
    const int on = 1;
    setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(handle, F_SETFL, fcntl(handle, F_GETFL) & ~O_NONBLOCK);
    return handle;
  }

  const int handle_;
};

// Ends what the library blocks in when it is asked to stop, or when nothing has moved for too long:
// the library has no timeout of its own for most calls. Synchronized.
class Watchdog {
 public:
  Watchdog(const Socket& socket, const PushRun& run)
      : socket_(socket),
        run_(run),
        moved_(std::chrono::steady_clock::now()),
        thread_([this](const std::stop_token& done) { Watch(done); }) {}

  void Moved() { moved_ = std::chrono::steady_clock::now(); }

  bool TimedOut() const { return timed_out_; }

 private:
  void Watch(const std::stop_token& done) TIDEMARK_EXCLUDES(mutex_) {
    const auto notify = [this] {
      const MutexLock lock(mutex_);
      tick_.NotifyAll();
    };
    const std::stop_callback wake_done(done, notify);
    const std::stop_callback wake_stop(run_.stop, notify);
    while (!done.stop_requested()) {
      const bool quiet = std::chrono::steady_clock::now() - moved_.load() > run_.quiet_timeout;
      if (quiet || run_.stop.stop_requested()) {
        timed_out_ = !run_.stop.stop_requested();
        socket_.ShutDown();
        return;
      }
      const MutexLock lock(mutex_);
      if (!done.stop_requested() && !run_.stop.stop_requested()) {
        tick_.WaitFor(mutex_, kWatchEvery);
      }
    }
  }

  const Socket& socket_;
  const PushRun& run_;
  std::atomic<std::chrono::steady_clock::time_point> moved_;
  std::atomic<bool> timed_out_ = false;
  Mutex mutex_;
  CondVar tick_;
  std::jthread thread_;
};

// One push. Confined. Members in the order in which they depend on each other.
class Push {
 public:
  Push(const SftpDestination& destination, const PushRun& run)
      : destination_(destination),
        run_(run),
        socket_(destination, run.connect_timeout),
        watchdog_(socket_, run),
        session_(ssh_new()) {
    TIDEMARK_CHECK(session_ != nullptr);
    Greet();
    CheckHostKey();
    LogIn();
    OpenSftp();
  }

  ~Push() {
    // What the libraries say goodbye with must not block on a server that is gone.
    socket_.ShutDown();
  }

  Push(const Push&) = delete;
  Push& operator=(const Push&) = delete;

  PushedFile Write(const std::string& path, const PushSource& source) {
    const File file = OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, "creating ");
    codec::Sha1Hash hash;
    PushedFile pushed;
    std::vector<std::uint8_t> piece(PieceSize());
    for (std::size_t size = source(piece); size > 0; size = source(piece)) {
      CheckStop();
      hash.Add(ByteView(piece.data(), size));
      for (std::size_t done = 0; done < size;) {
        const auto written = sftp_write(file.get(), piece.data() + done, size - done);
        if (written <= 0) {
          Fail("writing " + path);
        }
        done += static_cast<std::size_t>(written);
        watchdog_.Moved();
      }
      pushed.size += size;
      if (run_.report) {
        run_.report(pushed.size);
      }
    }
    // On disk before it gets its name, where the server knows how.
    if (sftp_extension_supported(sftp_.get(), "fsync@openssh.com", "1") != 0 &&
        sftp_fsync(file.get()) != 0) {
      Fail("syncing " + path);
    }
    pushed.sha1 = hash.TakeHex();
    return pushed;
  }

  PushedFile Read(const std::string& path) {
    const File file = OpenFile(path, O_RDONLY, "reading ");
    codec::Sha1Hash hash;
    PushedFile found;
    std::vector<std::uint8_t> piece(PieceSize());
    for (;;) {
      CheckStop();
      const auto size = sftp_read(file.get(), piece.data(), piece.size());
      if (size < 0) {
        Fail("reading " + path);
      }
      if (size == 0) {
        break;
      }
      hash.Add(ByteView(piece.data(), static_cast<std::size_t>(size)));
      found.size += static_cast<std::uint64_t>(size);
      watchdog_.Moved();
    }
    found.sha1 = hash.TakeHex();
    return found;
  }

  void Rename(const std::string& from, const std::string& to) {
    sftp_unlink(sftp_.get(), to.c_str());  // of an earlier try; a plain rename replaces nothing
    if (sftp_rename(sftp_.get(), from.c_str(), to.c_str()) != 0) {
      Fail("renaming " + from);
    }
  }

 private:
  using File = CHandle<sftp_file_struct, sftp_close>;

  void Set(ssh_options_e option, const void* value) {
    if (ssh_options_set(session_.get(), option, value) != SSH_OK) {
      Fail("preparing the session");
    }
  }

  void Greet() {
    const int off = 0;
    const int handle = dup(socket_.handle());  // the library closes what it is given
    Set(SSH_OPTIONS_PROCESS_CONFIG, &off);     // nobody's ~/.ssh/config
    Set(SSH_OPTIONS_HOST, destination_.host.c_str());
    Set(SSH_OPTIONS_USER, destination_.user.c_str());
    Set(SSH_OPTIONS_FD, &handle);
    if (ssh_connect(session_.get()) != SSH_OK) {
      Fail("connecting");
    }
    watchdog_.Moved();
  }

  void CheckHostKey() {
    ssh_key raw = nullptr;
    if (ssh_get_server_publickey(session_.get(), &raw) != SSH_OK) {
      Fail("asking for the host key");
    }
    const CHandle<ssh_key_struct, ssh_key_free> key(raw);
    unsigned char* hash = nullptr;
    std::size_t size = 0;
    if (ssh_get_publickey_hash(key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != 0) {
      Fail("reading the host key");
    }
    char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
    ssh_clean_pubkey_hash(&hash);
    const std::string found = text == nullptr ? "" : text;
    ssh_string_free_char(text);
    if (found != destination_.host_key) {
      throw Error(ErrorCode::kPermissionDenied,
                  At(destination_) + "its host key is " + found + ", not the one that is set",
                  "set scp-host-key only after you have made sure that this is the right server");
    }
  }

  void LogIn() {
    ssh_key raw = nullptr;
    if (ssh_pki_import_privkey_file(
            destination_.key_file.c_str(), nullptr, nullptr, nullptr, &raw) != SSH_OK) {
      throw Error(ErrorCode::kPermissionDenied,
                  At(destination_) + "the private key cannot be read from " + destination_.key_file,
                  "it has to be readable by the server and without a passphrase");
    }
    const CHandle<ssh_key_struct, ssh_key_free> key(raw);
    const int answer = ssh_userauth_publickey(session_.get(), nullptr, key.get());
    watchdog_.Moved();
    if (answer == SSH_AUTH_DENIED || answer == SSH_AUTH_PARTIAL) {
      throw Error(ErrorCode::kPermissionDenied,
                  At(destination_) + "user " + destination_.user + " is not let in with this key");
    }
    if (answer != SSH_AUTH_SUCCESS) {
      Fail("logging in");
    }
  }

  void OpenSftp() {
    sftp_.reset(sftp_new(session_.get()));
    if (sftp_ == nullptr || sftp_init(sftp_.get()) != SSH_OK) {
      Fail("opening SFTP");
    }
    watchdog_.Moved();
  }

  File OpenFile(const std::string& path, int flags, const std::string& doing) {
    File file(sftp_open(sftp_.get(), path.c_str(), flags, kFileMode));
    if (file == nullptr) {
      Fail(doing + path);
    }
    return file;
  }

  std::size_t PieceSize() const {
    return sftp_extension_supported(sftp_.get(), "limits@openssh.com", "1") != 0 ? kLargePiece
                                                                                 : kPiece;
  }

  void CheckStop() const {
    if (run_.stop.stop_requested()) {
      throw Error(ErrorCode::kCancelled, At(destination_) + "stopped");
    }
  }

  // What the server said of a file, or what became of the connection.
  [[noreturn]] void Fail(const std::string& doing) {
    CheckStop();
    const std::string what = At(destination_) + doing;
    if (watchdog_.TimedOut()) {
      throw Error(ErrorCode::kTimeout, what + ": the server has been silent for too long");
    }
    // A connection that has ended leaves "failure" behind, too.
    const bool ended = (ssh_get_status(session_.get()) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
    const int status = sftp_ != nullptr && !ended ? sftp_get_error(sftp_.get()) : SSH_FX_OK;
    switch (status) {
      case SSH_FX_PERMISSION_DENIED:
      case SSH_FX_WRITE_PROTECT:
        throw Error(ErrorCode::kPermissionDenied, what + ": the server does not allow it");
      case SSH_FX_NO_SUCH_FILE:
      case SSH_FX_NO_SUCH_PATH:
        throw Error(ErrorCode::kNotFound, what + ": there is no such file or directory");
      case SSH_FX_FAILURE:
        throw Error(
            ErrorCode::kIo, what + ": the server failed", "is its disk full, or a quota used up?");
      default:
        throw Error(ErrorCode::kUnavailable,
                    what + ": " + std::string(ssh_get_error(session_.get())));
    }
  }

  const SftpDestination& destination_;
  const PushRun& run_;
  Socket socket_;
  Watchdog watchdog_;
  CHandle<ssh_session_struct, ssh_free> session_;
  CHandle<sftp_session_struct, sftp_free> sftp_;
};

}  // namespace

std::string DestinationProblem(const SftpDestination& destination) {
  constexpr std::size_t kKeySize = 50;  // "SHA256:" and 43 letters of base64
  if (destination.host.empty() || destination.user.empty() || destination.key_file.empty() ||
      destination.directory.empty()) {
    return "host, user, key file and directory are needed together";
  }
  if (!destination.host_key.starts_with("SHA256:") || destination.host_key.size() != kKeySize) {
    return "the host key is given as ssh-keygen -l prints it, SHA256: and 43 letters";
  }
  return {};
}

PushedFile PushFile(const SftpDestination& destination,
                    const std::string& name,
                    const PushSource& source,
                    const PushRun& run) {
  const std::string path = destination.directory + "/" + name;
  const std::string part = path + ".part";
  Push push(destination, run);
  const PushedFile sent = push.Write(part, source);
  const PushedFile found = push.Read(part);
  if (found.size != sent.size || found.sha1 != sent.sha1) {
    throw Error(ErrorCode::kIo,
                At(destination) + "the server holds " + std::to_string(found.size) +
                    " bytes that are not the " + std::to_string(sent.size) + " that were sent");
  }
  push.Rename(part, path);
  return sent;
}

}  // namespace tidemark::delivery
