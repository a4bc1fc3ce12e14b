#include "http/internal/tls_stream.h"

#include <cerrno>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "base/error.h"

namespace tidemark::http {
namespace {

using BioMethods = CHandle<BIO_METHOD, BIO_meth_free>;

TlsEngine& EngineOf(BIO* bio) {
  return *static_cast<TlsEngine*>(BIO_get_data(bio));
}

}  // namespace

int TlsEngine::ReadSome(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  return EngineOf(bio).Read({to, static_cast<std::size_t>(size)}, bio);
}

int TlsEngine::WriteSome(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  return EngineOf(bio).Write({from, static_cast<std::size_t>(size)}, bio);
}

long TlsEngine::Control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;  // nothing is kept back
}

const BIO_METHOD* TlsEngine::Methods() {
  static const BioMethods methods = [] {
    BioMethods made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
    TIDEMARK_CHECK(made && BIO_meth_set_read(made.get(), ReadSome) == 1 &&
                   BIO_meth_set_write(made.get(), WriteSome) == 1 &&
                   BIO_meth_set_ctrl(made.get(), Control) == 1);
    return made;
  }();
  return methods.get();
}

TlsEngine::TlsEngine(TcpStream next, asio::ssl::context& tls)
    : next_(std::move(next)), ssl_(SSL_new(tls.native_handle())) {
  BIO* const bio = ssl_ ? BIO_new(Methods()) : nullptr;
  if (bio == nullptr) {
    throw Error(ErrorCode::kResourceExhausted, "accepting a TLS connection: out of memory");
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_set_accept_state(ssl_.get());
}

int TlsEngine::Fail(int number) {
  error_.assign(number, asio::error::get_system_category());
  return -1;
}

int TlsEngine::Read(std::span<char> to, BIO* bio) {
  if (!input_left_.empty()) {
    const std::size_t size = std::min(to.size(), input_left_.size());
    std::copy_n(input_left_.begin(), size, to.begin());
    input_left_ = input_left_.subspan(size);
    return static_cast<int>(size);
  }
  if (!next_.socket().is_open()) {
    return Fail(EBADF);
  }
  const ssize_t got =
      dry_ ? -1 : ::recv(next_.socket().native_handle(), to.data(), to.size(), MSG_DONTWAIT);
  if (dry_ || (got < 0 && (errno == EAGAIN || errno == EINTR))) {
    dry_ = true;
    BIO_set_retry_read(bio);
    return -1;
  }
  if (got < 0) {
    return Fail(errno);
  }
  dry_ = static_cast<std::size_t>(got) < to.size();
  return static_cast<int>(got);
}

int TlsEngine::Write(std::span<const char> from, BIO* bio) {
  if (has_output()) {
    BIO_set_retry_write(bio);
    return -1;
  }
  if (!next_.socket().is_open()) {
    return Fail(EBADF);
  }
  const ssize_t sent =
      ::send(next_.socket().native_handle(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) {
    return static_cast<int>(sent);
  }
  if (errno != EAGAIN && errno != EINTR) {
    return Fail(errno);
  }
  output_size_ = std::min(from.size(), output_.size());
  std::copy_n(from.begin(), output_size_, output_.begin());
  return static_cast<int>(output_size_);
}

TlsEngine::Outcome TlsEngine::Judge(int result) {
  if (result > 0) {
    return {.finished = true, .error = {}, .bytes = static_cast<std::size_t>(result)};
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {};
    case SSL_ERROR_ZERO_RETURN:
      return {.finished = true, .error = asio::error::eof};
    case SSL_ERROR_SYSCALL:
      if (error_) {
        return {.finished = true, .error = error_};
      }
      return {.finished = true, .error = asio::ssl::error::stream_truncated};
    default:
      return {.finished = true,
              .error = boost::system::error_code(static_cast<int>(ERR_get_error()),
                                                 asio::error::get_ssl_category())};
  }
}

}  // namespace tidemark::http
