#!/bin/sh
# A project outside the repository, with the README's snippet and nothing else, resolves Gyre from a local repository and makes a
# picture; the snippet's checkpoint is the embedded model under the other's name. Then the distribution makes one, without Maven.
set -eu

repo=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
home=${MAVEN_REPOSITORY:-$HOME/.m2/repository}

# Gyre is installed into a copy of the local repository, so that nothing of it is left in the user's.
cp -al "$home" "$scratch/m2" 2>/dev/null || cp -R "$home" "$scratch/m2"
rm -rf "$scratch/m2/dev/gyre"
mvn -q -B -ntp -f "$repo/pom.xml" -Dmaven.repo.local="$scratch/m2" -DskipTests -Dspotless.check.skip=true \
  -pl diffusion,bom,dist -am install

mkdir -p "$scratch/consumer/src/main/java"
cd "$scratch/consumer"
{
  echo 'import dev.gyre.diffusion.*; import dev.gyre.diffusion.sampler.Sampler; import java.nio.file.Path;'
  echo 'public class Consumer { public static void main(String[] args) throws Exception {'
  awk '/^## As a library/ { here = 1 } here && /^```$/ { exit } code; here && /^```java$/ { code = 1 }' "$repo/README.md"
  echo '} }'
} >src/main/java/Consumer.java
version=$(sed -n 's/.*<version>\(.*\)<\/version>.*/\1/p' "$repo/bom/pom.xml" | head -n 1)
cat >pom.xml <<EOF
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>consumer</groupId><artifactId>consumer</artifactId><version>1</version>
  <properties><maven.compiler.release>25</maven.compiler.release></properties>
  <dependencyManagement><dependencies><dependency>
    <groupId>dev.gyre</groupId><artifactId>gyre-bom</artifactId><version>$version</version><type>pom</type><scope>import</scope>
  </dependency></dependencies></dependencyManagement>
  <dependencies><dependency><groupId>dev.gyre</groupId><artifactId>gyre-diffusion</artifactId></dependency></dependencies>
  <build><plugins>
    <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.14.0</version></plugin>
    <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.1</version></plugin>
  </plugins></build>
</project>
EOF
jdk=$("$repo/gyre" --version >/dev/null 2>&1; for d in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
  [ -x "$d/bin/javac" ] && [ -f "$d/release" ] && grep -q '^JAVA_VERSION="\(2[5-9]\|[3-9]\)' "$d/release" && echo "$d" && break; done)
JAVA_HOME=$jdk mvn -q -B -ntp -Dmaven.repo.local="$scratch/m2" compile \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=target/lib
cp "$repo/diffusion/src/main/resources/dev/gyre/diffusion/checkpoint/shapes.safetensors" v1-5-pruned.safetensors
"$jdk/bin/java" -cp "target/classes:target/lib/*" Consumer
[ -s astronaut.png ] || { echo "FAIL  the README's snippet made no picture"; exit 1; }
echo "ok    a project with the README's snippet makes a picture"

mkdir "$scratch/dist"
tar -xzf "$repo"/dist/target/gyre-*.tar.gz -C "$scratch/dist"
mkdir "$scratch/tools"
for tool in sh awk basename cat dirname env grep head ls readlink sed uname; do
  path=$(command -v "$tool") && ln -s "$path" "$scratch/tools/$tool"
done
cd "$scratch"
PATH=$scratch/tools JAVA_HOME=$jdk "$scratch"/dist/gyre-*/bin/gyre "a red circle" --steps 2 -o circle.png >log 2>&1 ||
  { cat log; echo "FAIL  the distribution does not run"; exit 1; }
[ -s circle.png ] || { echo "FAIL  the distribution made no picture"; exit 1; }
echo "ok    the distribution makes a picture with a JDK alone"

# Every library of others that it brings along is named in its NOTICE, by its jar's name or the beginning of it.
for jar in "$scratch"/dist/gyre-*/lib/*.jar; do
  name=$(basename "$jar" | sed 's/-[0-9][0-9.]*\(-SNAPSHOT\)\{0,1\}\.jar$//')
  case $name in
    gyre-* | jsafetensors) continue ;;
    prometheus-metrics-*) name='prometheus-metrics-\*' ;;
    arrow-*) name='arrow-\*' ;;
  esac
  grep -q "\(^\|[ ,]\)$name\([ ,]\|\$\)" "$scratch"/dist/gyre-*/NOTICE ||
    { echo "FAIL  the NOTICE does not name $name"; exit 1; }
done
echo "ok    the NOTICE names every library that the distribution brings along"
