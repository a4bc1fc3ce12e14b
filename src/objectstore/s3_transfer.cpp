#include "objectstore/internal/s3_transfer.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <exception>

#include "curl/guard.h"
#include "objectstore/xml.h"

namespace tidemark::objectstore {
namespace {

using curl::Append;
using curl::CheckOption;
using curl::EasyHandle;
using curl::ListHandle;
using curl::ThrowCurlError;

constexpr long kSlowest = 1024;  // bytes per second

// The value of "name: value" when the line is that header.
std::optional<std::string_view> ValueOf(std::string_view line, std::string_view name) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  if (line.size() <= name.size() || line[name.size()] != ':' ||
      !std::ranges::equal(line.substr(0, name.size()), name, same)) {
    return std::nullopt;
  }
  line.remove_prefix(name.size() + 1);
  while (!line.empty() && std::strchr(" \t\r\n\"", line.front()) != nullptr) {
    line.remove_prefix(1);
  }
  while (!line.empty() && std::strchr(" \t\r\n\"", line.back()) != nullptr) {
    line.remove_suffix(1);
  }
  return line;
}

// Confined; its address must not change, for the library keeps it.
class Transfer {
 public:
  Transfer(EasyHandle easy,
           const HttpCall& call,
           const S3Options& options,
           const std::stop_token& stop)
      : call_(call),
        options_(options),
        guard_(options.may_connect, stop),
        left_(call.body),
        easy_(std::move(easy)) {
    SetTransport();
    SetRequest();
  }

  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  HttpAnswer Perform() {
    const CURLcode code = curl_easy_perform(easy_.get());
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    if (guard_.refused()) {
      throw Error(ErrorCode::kPermissionDenied,
                  "connecting to the object store: its address is not allowed",
                  "docs/exports.md says which are");
    }
    if (code != CURLE_OK) {
      ThrowCurlError(code, answer_.status, "talking to the object store");
    }
    return std::move(answer_);
  }

  // Nothing of this exchange is left in it. May be called once, last.
  EasyHandle TakeHandle() {
    curl_easy_reset(easy_.get());
    return std::move(easy_);
  }

 private:
  template <class T>
  void Set(CURLoption option, T value) {
    CheckOption(curl_easy_setopt(easy_.get(), option, value));
  }

  void SetTransport() {
    guard_.Attach(easy_.get());
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    Set(CURLOPT_LOW_SPEED_LIMIT, kSlowest);
    Set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stalled.count()));
    Set(CURLOPT_WRITEFUNCTION, &Transfer::TakeBody);
    Set(CURLOPT_WRITEDATA, this);
    Set(CURLOPT_HEADERFUNCTION, &Transfer::TakeHeader);
    Set(CURLOPT_HEADERDATA, this);
  }

  void SetRequest() {
    Set(CURLOPT_URL, call_.url.c_str());
    Set(CURLOPT_PATH_AS_IS, 1L);  // the path is signed as it is
    Set(CURLOPT_USERAGENT, "Tidemark");
    for (const auto& [name, value] : call_.headers) {
      if (name != "host") {  // the library writes it from the URL, in the same form
        std::string line = name;
        line += ": ";
        line += value;
        Append(headers_, line);
      }
    }
    Append(headers_, "Expect:");
    Append(headers_, "Accept:");
    Append(headers_, "Content-Type:");
    if (call_.method == "HEAD") {
      Set(CURLOPT_NOBODY, 1L);
    } else if (call_.method == "PUT") {
      Set(CURLOPT_UPLOAD, 1L);
      Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
      Set(CURLOPT_READFUNCTION, &Transfer::GiveBody);
      Set(CURLOPT_READDATA, this);
    } else if (call_.method == "POST") {
      Set(CURLOPT_POST, 1L);
      Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
      Set(CURLOPT_POSTFIELDS, call_.body.empty() ? "" : AsText(call_.body).data());
    } else {
      Set(CURLOPT_CUSTOMREQUEST, call_.method.c_str());
    }
    Set(CURLOPT_HTTPHEADER, headers_.get());
  }

  static std::size_t GiveBody(char* out, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    const std::size_t taken = std::min(size * count, transfer->left_.size());
    std::memcpy(out, transfer->left_.data(), taken);
    transfer->left_ = transfer->left_.subspan(taken);
    return taken;
  }

  static std::size_t TakeBody(char* bytes, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->Take({bytes, size * count});
  }

  std::size_t Take(std::string_view bytes) {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    try {
      if (call_.on_body && status >= 200 && status <= 299) {
        call_.on_body(AsBytes(bytes));
        return bytes.size();
      }
    } catch (...) {  // must not cross the library; Perform throws it again
      failure_ = std::current_exception();
      return 0;
    }
    if (answer_.body.size() + bytes.size() > kMaxXml) {
      return 0;
    }
    answer_.body += bytes;
    return bytes.size();
  }

  static std::size_t TakeHeader(char* bytes, std::size_t size, std::size_t count, void* self) {
    HttpAnswer& answer = static_cast<Transfer*>(self)->answer_;
    const std::string_view line(bytes, size * count);
    if (const auto etag = ValueOf(line, "etag")) {
      answer.etag = *etag;
    } else if (const auto region = ValueOf(line, "x-amz-bucket-region")) {
      answer.region = *region;
    } else if (const auto length = ValueOf(line, "content-length")) {
      std::uint64_t value = 0;
      const auto [end, error] =
          std::from_chars(length->data(), length->data() + length->size(), value);
      if (error == std::errc() && end == length->data() + length->size()) {
        answer.length = value;
      }
    }
    return size * count;
  }

  const HttpCall& call_;
  const S3Options& options_;
  curl::TransferGuard guard_;
  ByteView left_;
  EasyHandle easy_;
  ListHandle headers_;
  HttpAnswer answer_;
  std::exception_ptr failure_;
};

}  // namespace

EasyHandle Connections::Take() {
  {
    const MutexLock lock(mutex_);
    if (!idle_.empty()) {
      EasyHandle handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  EasyHandle handle(curl_easy_init());
  if (!handle) {
    throw Error(ErrorCode::kResourceExhausted, "preparing a transfer: no memory");
  }
  return handle;
}

void Connections::GiveBack(EasyHandle handle) {
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(handle));
}

HttpAnswer Perform(Connections& connections,
                   const HttpCall& call,
                   const S3Options& options,
                   const std::stop_token& stop) {
  Transfer transfer(connections.Take(), call, options, stop);
  HttpAnswer answer = transfer.Perform();
  connections.GiveBack(transfer.TakeHandle());
  return answer;
}

}  // namespace tidemark::objectstore
