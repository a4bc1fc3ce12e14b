module tidemark/gosdk

go 1.25.0

require go.mongodb.org/atlas-sdk/ATLAS_SDK_VERSION ATLAS_SDK_RELEASE

require (
	github.com/mongodb-forks/digest v1.1.0 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
)
