#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

// Its header has the server's half behind this name.
#ifndef WITH_SERVER
#define WITH_SERVER
#endif
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <libssh/sftp.h>

#include "base/c_handle.h"
#include "base/error.h"
#include "base/mutex.h"

// A server of SFTP on 127.0.0.1 that keeps files in memory and fails when it is told to. It lets
// every key in. Its other half is the same library as the client's: what a real server does is
// tested with OpenSSH's.
namespace tidemark::delivery {

// What becomes of one message of a client.
struct SftpFate {
  bool hangs_up = false;
  bool is_done = true;       // before that, or before what it answers
  std::uint32_t status = 0;  // SSH_FX_*: answered instead of what there is to say
  bool spoils = false;       // one bit of what is written or read
  bool is_short = false;     // half of what is read
};

class SftpServer {
 public:
  // Says what becomes of a message "open", "write", "read", "close", "remove" or "rename".
  using Intercept = std::function<SftpFate(const std::string& call)>;

  SftpServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ssh_key key = nullptr;
    TIDEMARK_CHECK(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) == SSH_OK);
    key_.reset(key);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    TIDEMARK_CHECK(bind(listener_, generic, sizeof address) == 0);
    TIDEMARK_CHECK(listen(listener_, 16) == 0);
    socklen_t size = sizeof address;
    getsockname(listener_, generic, &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
  }

  SftpServer(const SftpServer&) = delete;
  SftpServer& operator=(const SftpServer&) = delete;

  ~SftpServer() {
    thread_.request_stop();
    thread_.join();
    close(listener_);
  }

  std::uint16_t port() const { return port_; }

  std::string Fingerprint() const {
    unsigned char* hash = nullptr;
    std::size_t size = 0;
    TIDEMARK_CHECK(ssh_get_publickey_hash(key_.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &size) ==
                   0);
    char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
    ssh_clean_pubkey_hash(&hash);
    const std::string found = text;
    ssh_string_free_char(text);
    return found;
  }

  // A private key for a client.
  void WriteKey(const std::string& path) const {
    TIDEMARK_CHECK(
        ssh_pki_export_privkey_file(key_.get(), nullptr, nullptr, nullptr, path.c_str()) == SSH_OK);
  }

  void SetIntercept(Intercept intercept) {
    const MutexLock lock(mutex_);
    intercept_ = std::move(intercept);
  }

  std::map<std::string, std::string> Files() {
    const MutexLock lock(mutex_);
    return files_;
  }

 private:
  void Work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{listener_, POLLIN, 0};
      if (poll(&waiting, 1, 20) <= 0) {
        continue;
      }
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) {
        const int kept = fcntl(connection, F_DUPFD_CLOEXEC, 0);  // the library closes its own early
        Serve(connection);
        shutdown(kept, SHUT_RDWR);
        close(kept);
      }
    }
  }

  // Closes the connection.
  void Serve(int connection) {
    const int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const CHandle<ssh_bind_struct, ssh_bind_free> bind(ssh_bind_new());
    const CHandle<ssh_session_struct, ssh_free> session(ssh_new());
    ssh_key own = ssh_key_dup(key_.get());  // the other takes it
    ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_IMPORT_KEY, own);
    if (ssh_bind_accept_fd(bind.get(), session.get(), connection) != SSH_OK ||
        ssh_handle_key_exchange(session.get()) != SSH_OK) {
      return;
    }
    ssh_set_auth_methods(session.get(), SSH_AUTH_METHOD_PUBLICKEY);
    ssh_channel channel = nullptr;
    bool is_sftp = false;
    while (!is_sftp) {
      const CHandle<ssh_message_struct, ssh_message_free> message(ssh_message_get(session.get()));
      if (message == nullptr) {
        return;
      }
      is_sftp = Greet(message.get(), channel);
    }
    const CHandle<sftp_session_struct, sftp_server_free> sftp(
        sftp_server_new(session.get(), channel));
    if (sftp_server_init(sftp.get()) != 0) {
      return;
    }
    while (true) {
      const CHandle<sftp_client_message_struct, sftp_client_message_free> message(
          sftp_get_client_message(sftp.get()));
      if (message == nullptr || !Answer(sftp.get(), message.get())) {
        return;
      }
    }
  }

  // Up to the start of SFTP: then true.
  static bool Greet(ssh_message message, ssh_channel& channel) {
    const int type = ssh_message_type(message);
    const int subtype = ssh_message_subtype(message);
    if (type == SSH_REQUEST_AUTH && subtype == SSH_AUTH_METHOD_PUBLICKEY) {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
      if (ssh_message_auth_publickey_state(message) == SSH_PUBLICKEY_STATE_NONE) {
#pragma clang diagnostic pop
        ssh_message_auth_reply_pk_ok_simple(message);
      } else {
        ssh_message_auth_reply_success(message, 0);
      }
    } else if (type == SSH_REQUEST_CHANNEL_OPEN) {
      channel = ssh_message_channel_request_open_reply_accept(message);
    } else if (type == SSH_REQUEST_CHANNEL && subtype == SSH_CHANNEL_REQUEST_SUBSYSTEM) {
      ssh_message_channel_request_reply_success(message);
      return channel != nullptr;
    } else {
      ssh_message_reply_default(message);
    }
    return false;
  }

  static std::string NameOf(std::uint8_t type) {
    switch (type) {
      case SSH_FXP_OPEN:
        return "open";
      case SSH_FXP_WRITE:
        return "write";
      case SSH_FXP_READ:
        return "read";
      case SSH_FXP_CLOSE:
        return "close";
      case SSH_FXP_REMOVE:
        return "remove";
      case SSH_FXP_RENAME:
        return "rename";
      default:
        return "";
    }
  }

  // False: hang up.
  bool Answer(sftp_session sftp, sftp_client_message message) {
    const std::string call = NameOf(sftp_client_message_get_type(message));
    if (call.empty()) {
      return sftp_reply_status(message, SSH_FX_OP_UNSUPPORTED, "") == 0;
    }
    const MutexLock lock(mutex_);
    const SftpFate fate = intercept_ ? intercept_(call) : SftpFate{};
    std::string data;
    const std::uint32_t status = fate.is_done ? Do(sftp, message, call, fate, data) : SSH_FX_OK;
    if (fate.hangs_up) {
      return false;
    }
    if (fate.status != SSH_FX_OK || status != SSH_FX_OK) {
      return sftp_reply_status(message,
                               fate.status != SSH_FX_OK ? fate.status : status,
                               "as the test wants") == 0;
    }
    if (call == "open") {
      const CHandle<ssh_string_struct, ssh_string_free> handle(sftp_handle_alloc(sftp, opened_));
      return sftp_reply_handle(message, handle.get()) == 0;
    }
    if (call == "read") {
      return sftp_reply_data(message, data.data(), static_cast<int>(data.size())) == 0;
    }
    return sftp_reply_status(message, SSH_FX_OK, "") == 0;
  }

  // Its SSH_FX_*.
  std::uint32_t Do(sftp_session sftp,
                   sftp_client_message message,
                   const std::string& call,
                   const SftpFate& fate,
                   std::string& data) TIDEMARK_REQUIRES(mutex_) {
    if (call == "open") {
      const std::string path = sftp_client_message_get_filename(message);
      const std::uint32_t flags = sftp_client_message_get_flags(message);
      if ((flags & SSH_FXF_CREAT) == 0 && !files_.contains(path)) {
        return SSH_FX_NO_SUCH_FILE;
      }
      if ((flags & SSH_FXF_TRUNC) != 0) {
        files_[path].clear();
      }
      opened_ = const_cast<std::string*>(&files_.find(path)->first);
      return SSH_FX_OK;
    }
    if (call == "remove") {
      return files_.erase(sftp_client_message_get_filename(message)) == 1 ? SSH_FX_OK
                                                                          : SSH_FX_NO_SUCH_FILE;
    }
    if (call == "rename") {
      const std::string from = sftp_client_message_get_filename(message);
      const std::string to = sftp_client_message_get_data(message);
      if (!files_.contains(from) || files_.contains(to)) {
        return SSH_FX_FAILURE;
      }
      files_[to] = files_[from];
      files_.erase(from);
      return SSH_FX_OK;
    }
    const auto* path = static_cast<const std::string*>(sftp_handle(sftp, message->handle));
    if (path == nullptr || !files_.contains(*path)) {
      return SSH_FX_FAILURE;
    }
    if (call == "close") {
      sftp_handle_remove(sftp, const_cast<std::string*>(path));
      return SSH_FX_OK;
    }
    return Move(files_[*path], message, call == "write", fate, data);
  }

  static std::uint32_t Move(std::string& file,
                            sftp_client_message message,
                            bool writes,
                            const SftpFate& fate,
                            std::string& data) {
    if (!writes && message->offset >= file.size()) {
      return SSH_FX_EOF;
    }
    if (writes) {
      data.assign(static_cast<const char*>(ssh_string_data(message->data)),
                  ssh_string_len(message->data));
    } else {
      data = file.substr(message->offset, message->len);
      data.resize(fate.is_short && data.size() > 1 ? data.size() / 2 : data.size());
    }
    if (fate.spoils && !data.empty()) {
      data[data.size() / 2] = static_cast<char>(data[data.size() / 2] ^ 1);
    }
    if (writes) {
      file.resize(std::max<std::size_t>(file.size(), message->offset + data.size()));
      file.replace(message->offset, data.size(), data);
    }
    return SSH_FX_OK;
  }

  const int listener_;
  std::uint16_t port_ = 0;
  CHandle<ssh_key_struct, ssh_key_free> key_;
  Mutex mutex_;
  Intercept intercept_ TIDEMARK_GUARDED_BY(mutex_);
  std::map<std::string, std::string> files_ TIDEMARK_GUARDED_BY(mutex_);
  std::string* opened_ TIDEMARK_GUARDED_BY(mutex_) = nullptr;  // the key of the last opened one
  std::jthread thread_;
};

}  // namespace tidemark::delivery
