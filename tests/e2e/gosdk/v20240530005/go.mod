module tidemark/gosdk

go 1.22

require go.mongodb.org/atlas-sdk/v20240530005 v20240530005.0.0

require github.com/mongodb-forks/digest v1.1.0 // indirect
