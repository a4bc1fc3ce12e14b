#include "api/internal/downloads.h"

#include "api/internal/byte_range.h"
#include "api/internal/failure.h"
#include "api/internal/listing.h"
#include "api/internal/text.h"
#include "http/router.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

constexpr std::string_view kPullPrefix = "/backup/restore/v2/pull/";
constexpr std::string_view kGzip = "application/gzip";
// How long a request for a part waits while an archive whose size nobody knows is packed once.
constexpr std::chrono::seconds kMeasureLimit{20};

class StreamSource final : public http::BodySource {
 public:
  explicit StreamSource(std::unique_ptr<service::ArchiveStream> stream)
      : stream_(std::move(stream)) {}

  std::size_t Read(std::span<std::uint8_t> to) override { return stream_->Read(to); }

  void Finish() override { stream_->Finish(); }

 private:
  std::unique_ptr<service::ArchiveStream> stream_;
};

// REQUIRES: the job is a download.
const domain::Download& DownloadOf(const domain::RestoreJob& job) {
  TIDEMARK_CHECK(job.download.has_value());
  return *job.download;
}

// What the path and the header say.
struct PullRequest {
  RestoreJobId job;
  Secret key;
  std::string file;
};

[[noreturn]] void RefuseUnknown() {
  throw service::Refusal(service::Reason::kDownloadNotFound,
                         ErrorCode::kNotFound,
                         "fetching an archive: there is no such path");
}

// ".../{jobId}/{key}/{file}", or ".../{jobId}/{file}" with the key in a header.
PullRequest ParsePull(const http::Request& request) {
  std::vector<std::string> segments;
  std::string_view rest = std::string_view(request.path).substr(kPullPrefix.size());
  while (segments.size() < 4) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    segments.push_back(
        http::PercentDecode(rest.substr(0, slash), http::PlusSign::kLiteral).value_or(""));
    if (slash == rest.size()) {
      break;
    }
    rest.remove_prefix(slash + 1);
  }
  const auto job = RestoreJobId::Parse(segments.front());
  if (!job || segments.size() < 2 || segments.size() > 3) {
    RefuseUnknown();
  }
  PullRequest pull;
  pull.job = *job;
  pull.file = segments.back();
  pull.key =
      Secret(segments.size() == 3 ? segments[1]
                                  : std::string(request.Header("x-restore-key").value_or("")));
  return pull;
}

// The bytes of one job are the same for as long as one program packs them.
std::string EntityTag(const domain::RestoreJob& job) {
  return "\"" + job.id.ToString() + "-" TIDEMARK_VERSION "\"";
}

// The range that is asked for, unless the client has another file (RFC 9110 section 13.1.5).
std::optional<ByteRange> RangeOf(const http::Request& request, const std::string& tag) {
  const auto condition = request.Header("if-range");
  if (condition && Trim(*condition) != tag) {
    return std::nullopt;
  }
  return ParseByteRange(request.Header("range").value_or(""));
}

http::Response Head(const domain::RestoreJob& job, const std::string& tag) {
  http::Response response = FileResponse(DownloadOf(job).file_name, std::string(kGzip));
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("ETag", tag);
  return response;
}

http::Response FetchWhole(service::DownloadService& downloads,
                          const domain::RestoreJob& job,
                          const std::string& tag) {
  http::Response response = Head(job, tag);
  response.stream =
      http::BodyStream{MakeBodySource(downloads.Fetch(job, {})), DownloadOf(job).size};
  return response;
}

http::Response FetchPart(service::DownloadService& downloads,
                         domain::RestoreJob job,
                         const std::string& tag,
                         const ByteRange& range) {
  const std::uint64_t size = downloads.Measure(job, kMeasureLimit);
  TIDEMARK_CHECK(job.download.has_value());
  job.download->size = size;
  const auto span = Resolve(range, size);
  if (!span) {
    throw RangeNotSatisfiable(size);
  }
  http::Response response = Head(job, tag);
  response.status = 206;
  response.headers.emplace_back("Content-Range",
                                "bytes " + std::to_string(span->first) + "-" +
                                    std::to_string(span->last) + "/" + std::to_string(size));
  response.stream =
      http::BodyStream{MakeBodySource(downloads.Fetch(job, {span->first, span->last})),
                       span->last + 1 - span->first};
  return response;
}

http::Response Pull(service::DownloadService& downloads, const http::Request& request) {
  const PullRequest pull = ParsePull(request);
  const domain::RestoreJob job = downloads.Authorize(pull.job, pull.key);
  if (pull.file != DownloadOf(job).file_name) {
    RefuseUnknown();
  }
  const std::string tag = EntityTag(job);
  if (request.method == http::Method::kHead) {
    if (downloads.StateOf(job) == domain::DownloadState::kUsedUp) {
      throw service::Refusal(service::Reason::kDownloadUsedUp,
                             ErrorCode::kPermissionDenied,
                             "looking at an archive: it has been downloaded as often as allowed");
    }
    http::Response response = Head(job, tag);
    response.stream = http::BodyStream{nullptr, DownloadOf(job).size};
    return response;
  }
  const auto range = RangeOf(request, tag);
  const bool all = range && range->first == 0 && !range->last;
  if (!range || (all && !DownloadOf(job).size)) {  // all of it needs no measuring
    return FetchWhole(downloads, job, tag);
  }
  return FetchPart(downloads, job, tag, *range);
}

}  // namespace

bool IsDownloadPath(std::string_view path) {
  return path.starts_with(kPullPrefix);
}

http::Response AnswerDownload(const ApiParts& parts, const http::Request& request) {
  try {
    if (request.method != http::Method::kGet && request.method != http::Method::kHead) {
      throw MethodNotAllowed("GET, HEAD");
    }
    return Pull(parts.downloads, request);
  } catch (const Error& error) {
    const Failure failure = FailureOf(error, request.request_id);
    if (failure.status >= 500) {  // not with the path: it may hold a key
      parts.log.Error("request={} code={}  fetching an archive: {}",
                      request.request_id,
                      ErrorCodeName(error.code()),
                      error.message());
    }
    return RenderFailure(failure, {});
  }
}

std::string_view DownloadStateName(domain::DownloadState state) {
  switch (state) {
    case domain::DownloadState::kReady:
      return "READY";
    case domain::DownloadState::kUsedUp:
      return "MAX_DOWNLOADS_EXCEEDED";
    case domain::DownloadState::kExpired:
      return "EXPIRED";
  }
  CheckFailed("every state has a status", __FILE__, __LINE__);
}

DownloadLinks LinksOf(const Call& call, const domain::RestoreJob& job) {
  TIDEMARK_CHECK(job.download.has_value());
  const std::string base =
      BaseUrl(call.request) + std::string(kPullPrefix) + job.id.ToString() + "/";
  const std::string key = call.parts.downloads.KeyOf(job).Reveal();
  return {base + key + "/" + DownloadOf(job).file_name, base + DownloadOf(job).file_name, key};
}

bool MaySeeLinks(const Call& call, const domain::RestoreJob& job) {
  return call.parts.access.MayOn(call.caller, job.project, domain::Permission::kProjectOwner);
}

std::unique_ptr<http::BodySource> MakeBodySource(std::unique_ptr<service::ArchiveStream> stream) {
  return std::make_unique<StreamSource>(std::move(stream));
}

}  // namespace tidemark::api
