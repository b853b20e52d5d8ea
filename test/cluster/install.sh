#!/usr/bin/env bash
# Puts OpenSearch with the k-NN plugin together from its published Maven artifacts: install.sh FOLDER.
# Needs Maven, and in JAVA_HOME a JDK that OpenSearch runs on. The versions belong together: see `stand-ins` below.
set -euo pipefail
version=3.5.0
folder=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"/{bin,extensions,lib,logs,modules,plugins/opensearch-knn}

# A project that depends on the given artifacts; Maven copies these and what they need into a folder.
fetch() { # FOLDER GROUP:NAME:VERSION…
  local to=$1 project artifact group name number
  shift
  project=$(mktemp -d -p "$work")
  {
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>test</groupId><artifactId>test</artifactId><version>1</version><dependencies>'
    for artifact; do
      IFS=: read -r group name number <<<"$artifact"
      echo "<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$number</version></dependency>"
    done
    echo '</dependencies></project>'
  } >"$project/pom.xml"
  mvn --quiet --batch-mode --file "$project/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$to"
}
copy() { # FOLDER GROUP:NAME:VERSION[:TYPE]
  mvn --quiet --batch-mode dependency:copy -Dartifact="$2" -DoutputDirectory="$1"
}

fetch "$folder/lib" "org.opensearch:opensearch:$version" "org.opensearch:opensearch-plugin-classloader:$version" \
  org.opensearch:opensearch-agent-bootstrap:3.4.0 org.apache.logging.log4j:log4j-core:2.25.3

# A module is a folder with the jars that the server itself lacks, and a description.
module() { # NAME CLASS ARTIFACT
  local to=$folder/modules/$1 jar
  mkdir -p "$to"
  fetch "$work/$1" "org.opensearch.plugin:$3:$version"
  for jar in "$work/$1"/*.jar; do
    [[ -e $folder/lib/$(basename "$jar") || $jar =~ -(osx|windows)-|aarch_64 ]] || cp "$jar" "$to/"
  done
  cat >"$to/plugin-descriptor.properties" <<PROPERTIES
name=$1
description=$1
version=$version
opensearch.version=$version
java.version=21
classname=$2
extended.plugins=
has.native.controller=false
custom.foldername=
PROPERTIES
}
module transport-netty4 org.opensearch.transport.Netty4ModulePlugin transport-netty4-client
module lang-painless org.opensearch.painless.PainlessModulePlugin lang-painless
module reindex org.opensearch.index.reindex.ReindexModulePlugin reindex-client

knn=$folder/plugins/opensearch-knn
copy "$work" "org.opensearch.plugin:opensearch-knn:$version.0:zip"
(cd "$knn" && "$JAVA_HOME/bin/jar" xf "$work/opensearch-knn-$version.0.zip")
sed -i 's/^extended.plugins=.*/extended.plugins=lang-painless/' "$knn/plugin-descriptor.properties"
fetch "$work/guava" com.google.guava:guava:33.4.8-jre
cp "$work"/guava/{guava,failureaccess}-*.jar "$knn/"
copy "$knn" org.opensearch:protobufs:1.7.0

# stand-ins: the plugin's classes name two interfaces of the gRPC module, which is no Maven artifact.
source=$work/source/org/opensearch/transport/grpc/spi
mkdir -p "$source"
for name in QueryBuilderProtoConverter QueryBuilderProtoConverterRegistry; do
  echo "package org.opensearch.transport.grpc.spi; public interface $name {}" >"$source/$name.java"
done
"$JAVA_HOME/bin/javac" --release 21 -d "$work/classes" "$source"/*.java
"$JAVA_HOME/bin/jar" cf "$knn/stand-ins.jar" -C "$work/classes" org
chmod -R a+rX "$folder"
