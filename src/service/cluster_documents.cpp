#include "service/internal/cluster_documents.h"

#include "service/internal/job_run.h"

namespace tidemark::service {

void ClusterDocuments::Connect(const repo::RunUse& use, Asked& asked) {
  const std::optional<domain::Cluster> cluster =
      named_ ? named_ : env_.store.FindCluster(use.cluster);
  if (!cluster || cluster->removed) {
    throw Error(ErrorCode::kNotFound,
                "cluster " + use.cluster_name + " is no longer registered",
                "register a cluster that holds the same documents and name it with --from-cluster");
  }
  mongo::ConnectionOptions options;
  options.connect_timeout = kJobConnectTimeout;
  asked.connection = clusters_.Connect(*cluster, options);
  asked.documents = engine::MakeMongoDocuments(*asked.connection);
}

template <class Question>
void ClusterDocuments::Ask(const repo::RunUse& use, const Question& question) {
  Asked& asked = asked_[named_ ? named_->id : use.cluster];
  if (asked.failure.has_value()) {
    throw Error(*asked.failure);
  }
  try {
    if (asked.documents == nullptr) {
      Connect(use, asked);
    }
    question(*asked.documents);
  } catch (const Error& error) {
    if (asked.documents == nullptr || IsRetryable(error.code())) {
      asked.failure = error;
    }
    throw;
  }
}

void ClusterDocuments::Find(const repo::RunUse& use,
                            const std::vector<Bytes>& ids,
                            const Visitor& visit) {
  Ask(use, [&](engine::DocumentSource& documents) { documents.Find(use, ids, visit); });
}

void ClusterDocuments::FindFrom(const repo::RunUse& use,
                                const Bytes& first_id,
                                std::uint64_t count,
                                const std::stop_token& stop,
                                const Visitor& visit) {
  Ask(use, [&](engine::DocumentSource& documents) {
    documents.FindFrom(use, first_id, count, stop, visit);
  });
}

}  // namespace tidemark::service
