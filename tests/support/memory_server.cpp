#include "tests/support/memory_server.h"

#include <atomic>
#include <cerrno>
#include <list>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/support/memory/dump.h"
#include "tests/support/memory/executor.h"

namespace tidemark::memory {
namespace {

constexpr int kBacklog = 128;
constexpr int kSocketBuffer = 4 << 20;  // bytes; a batch is 16 MiB

// An open socket. Shutdown may be called from another thread.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}

  ~Socket() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int get() const { return descriptor_; }

  void Shutdown() const { ::shutdown(descriptor_, SHUT_RDWR); }

 private:
  const int descriptor_;
};

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

[[noreturn]] void ThrowSocket(const std::string& doing) {
  throw Error(ErrorCode::kUnavailable, doing + ": " + std::generic_category().message(errno));
}

void SetOption(int socket, int level, int option, int value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

int Listen(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    ThrowSocket("making a socket");
  }
  SetOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  const sockaddr_in address = Loopback(port);
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(descriptor, kBacklog) != 0) {
    const int error = errno;
    ::close(descriptor);
    errno = error;
    ThrowSocket("listening on port " + std::to_string(port));
  }
  return descriptor;
}

std::uint16_t PortOf(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    ThrowSocket("asking for the port");
  }
  return ntohs(address.sin_port);
}

bool Receive(int socket, std::uint8_t* at, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(socket, at, size, MSG_WAITALL);
    if (got <= 0) {
      if (got < 0 && errno == EINTR) {
        continue;
      }
      return false;
    }
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool Send(int socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) {
      return false;
    }
    bytes = bytes.subspan(sent < 0 ? 0 : static_cast<std::size_t>(sent));
  }
  return true;
}

// One client. Its thread runs Serve.
class Peer {
 public:
  Peer(int descriptor, std::int32_t number, Executor& executor)
      : socket_(descriptor), number_(number), executor_(executor) {
    SetOption(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    SetOption(descriptor, SOL_SOCKET, SO_SNDBUF, kSocketBuffer);
  }

  void Start() {
    thread_ = std::thread([this] {
      Serve();
      socket_.Shutdown();
      done_ = true;
    });
  }

  void Drop() const { socket_.Shutdown(); }

  bool IsDone() const { return done_; }

  void Join() { thread_.join(); }

 private:
  // Ends at the first malformed message, as a server does.
  void Serve() {
    try {
      while (ReceiveMessage() && Answer()) {
      }
    } catch (const Error&) {
      return;
    }
  }

  bool ReceiveMessage() {
    std::uint8_t header[wire::kHeaderSize];
    if (!Receive(socket_.get(), header, sizeof header)) {
      return false;
    }
    message_.resize(wire::DecodeHeader(header).length);
    std::copy_n(header, sizeof header, message_.data());
    return Receive(socket_.get(), message_.data() + sizeof header, message_.size() - sizeof header);
  }

  bool Answer() {
    const wire::Request request = wire::DecodeRequest(message_);
    if (executor_.Run(request, number_, reply_) == Executor::Outcome::kDrop) {
      return false;
    }
    if (!request.wants_reply) {
      return true;
    }
    const std::uint64_t allowed = executor_.faults().TakeBytes(reply_.size());
    return Send(socket_.get(), ByteView(reply_).first(allowed)) && allowed == reply_.size();
  }

  const Socket socket_;
  const std::int32_t number_;
  Executor& executor_;
  Bytes message_;  // kept between messages: a fresh one would cost a page fault per 4 KiB
  Bytes reply_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

Identity IdentityOf(const ServerOptions& options, std::uint16_t port) {
  return {.version = options.version,
          .login = options.login,
          .replica_set = options.replica_set,
          .address = "127.0.0.1:" + std::to_string(port)};
}

}  // namespace

class MemoryServer::Engine {
 public:
  Engine(const ServerOptions& options, const Clock& clock, RandomSource& random)
      : listener_(Listen(options.port)),
        port_(PortOf(listener_.get())),
        max_connections_(options.max_connections),
        executor_(IdentityOf(options, port_),
                  {.has_oplog = !options.replica_set.empty(),
                   .oplog_size = options.oplog_size,
                   .checks = options.checks},
                  clock,
                  random),
        acceptor_([this] { Accept(); }) {}

  ~Engine() {
    stopping_ = true;
    listener_.Shutdown();
    acceptor_.join();
    executor_.Stop();
    DropConnections();
    const MutexLock lock(mutex_);
    for (Peer& peer : peers_) {
      peer.Join();
    }
  }

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  std::uint16_t port() const { return port_; }

  Executor& executor() { return executor_; }

  void DropConnections() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    for (const Peer& peer : peers_) {
      peer.Drop();
    }
  }

 private:
  void Accept() TIDEMARK_EXCLUDES(mutex_) {
    std::int32_t number = 0;
    while (!stopping_) {
      const int descriptor = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor >= 0) {
        Add(descriptor, ++number);
      } else if (errno != EINTR && errno != ECONNABORTED) {
        return;
      }
    }
  }

  void Add(int descriptor, std::int32_t number) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    for (auto peer = peers_.begin(); peer != peers_.end();) {
      if (peer->IsDone()) {
        peer->Join();
        peer = peers_.erase(peer);
      } else {
        ++peer;
      }
    }
    if (stopping_ || peers_.size() >= static_cast<std::size_t>(max_connections_)) {
      ::close(descriptor);
      return;
    }
    peers_.emplace_back(descriptor, number, executor_).Start();
  }

  const Socket listener_;
  const std::uint16_t port_;
  const int max_connections_;
  std::atomic<bool> stopping_{false};
  Executor executor_;
  Mutex mutex_;
  std::list<Peer> peers_ TIDEMARK_GUARDED_BY(mutex_);
  std::thread acceptor_;  // last: it uses all of the above
};

MemoryServer::MemoryServer(const ServerOptions& options, const Clock& clock, RandomSource& random)
    : engine_(std::make_unique<Engine>(options, clock, random)) {}

MemoryServer::~MemoryServer() = default;

std::uint16_t MemoryServer::port() const {
  return engine_->port();
}

std::string MemoryServer::Uri() const {
  std::string uri = "mongodb://127.0.0.1:" + std::to_string(port()) + "/";
  engine_->executor().WithState([&](const State& state) {
    if (state.IsReplicaSet()) {
      uri += "?replicaSet=" + state.identity.replica_set;
    }
  });
  return uri;
}

Faults& MemoryServer::faults() {
  return engine_->executor().faults();
}

void MemoryServer::StepDown() {
  engine_->executor().WithState([](State& state) { state.primary = false; });
}

void MemoryServer::StepUp() {
  engine_->executor().WithState([](State& state) {
    state.primary = true;
    state.store.NextTerm();
    const Bytes message = bson::Builder().Append("msg", "new primary").Finish();
    state.store.AppendNoop(bson::Document(message));
  });
}

void MemoryServer::DropConnections() {
  engine_->DropConnections();
}

void MemoryServer::WithStore(const std::function<void(Store&)>& use) {
  engine_->executor().WithState([&](State& state) { use(state.store); });
}

void MemoryServer::Generate(const std::string& ns,
                            std::uint64_t documents,
                            std::uint32_t bytes,
                            IdOrder order) {
  WithStore([&](Store& store) { GenerateCollection(store, ns, documents, bytes, order); });
}

void MemoryServer::LoadDump(const std::filesystem::path& directory) {
  WithStore([&](Store& store) { LoadDumpState(store, directory); });
}

}  // namespace tidemark::memory
