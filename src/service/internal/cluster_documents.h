#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/document_source.h"
#include "service/cluster_service.h"

namespace tidemark::service {

// Documents of the clusters that snapshots were taken of, or of one other cluster. Connects when
// first asked. A cluster that could not be asked once is not asked again. Confined.
class ClusterDocuments final : public engine::DocumentSource {
 public:
  // `named`: instead of the snapshots' own clusters.
  ClusterDocuments(Environment& environment, std::optional<domain::Cluster> named)
      : env_(environment), clusters_(environment), named_(std::move(named)) {}

  void Find(const repo::RunUse& use, const std::vector<Bytes>& ids, const Visitor& visit) override;
  void FindFrom(const repo::RunUse& use,
                const Bytes& first_id,
                std::uint64_t count,
                const std::stop_token& stop,
                const Visitor& visit) override;

 private:
  struct Asked {
    std::unique_ptr<mongo::Connection> connection;
    std::unique_ptr<engine::DocumentSource> documents;
    std::optional<Error> failure;
  };

  template <class Question>
  void Ask(const repo::RunUse& use, const Question& question);
  void Connect(const repo::RunUse& use, Asked& asked);

  Environment& env_;
  ClusterService clusters_;
  const std::optional<domain::Cluster> named_;
  std::map<ClusterId, Asked> asked_;
};

}  // namespace tidemark::service
