/** The steps that `sallyport init` proposes: one file for each CI system, pinned to one version of everything. */
import { version } from '#judge/report.ts';

export const systems = [
  'github',
  'gitlab',
  'jenkins',
  'circleci',
  'azure',
  'bitbucket',
  'tekton',
  'woodpecker',
  'drone',
] as const;
export type System = (typeof systems)[number];

export interface Step {
  readonly title: string;
  /** Where it goes, relative to the root of the repository. */
  readonly file: string;
  /** The whole file, where there is none. */
  readonly text: string;
  /** How it can be put into a file that is there without touching what stands in it; else it is for a person to do. */
  readonly merge?: 'key' | 'document';
  /** What goes into a file that is there. */
  readonly part: string;
}

/** Actions, by the commits of their releases: a tag can be moved, a commit cannot. */
export const ACTIONS = {
  checkout: 'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0',
  setupNode: 'actions/setup-node@2028fbc5c25fe9cf00d9f06a71cc4710d4507903 # v6.0.0',
  uploadSarif: 'github/codeql-action/upload-sarif@5d4e8d1aca955e8d8589aabd499c5cae939e33c7 # v4.31.9',
} as const;

/** The image that has Node 24 and Git. */
const IMAGE = 'node:24-bookworm';
const RUN = `npx --yes sallyport@${version} ci`;

/** A shallow or single-branch clone does not hold the branch that a pull request goes to. */
const fetchOf = (variable: string) =>
  `if [ -n "$${variable}" ]; then git fetch --no-tags origin "+refs/heads/$${variable}:refs/remotes/origin/$${variable}"; fi`;

/** A word as YAML reads it back: plain where that is safe, else in double quotes. */
function scalar(word: string): string {
  return /^[A-Za-z][\w./-]*$/.test(word) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(word)
    ? word
    : JSON.stringify(word);
}

/** A word as a shell reads it back. */
function shellWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const indent = (text: string, by: string) => text.replace(/^(?=.)/gm, by);

/** @param branch the branch that pull requests go to */
export function stepOf(system: System, branch: string): Step {
  return STEPS[system](scalar(branch), branch);
}

const STEPS: Readonly<Record<System, (branch: string, plain: string) => Step>> = {
  github: branch => {
    const text = `name: Sallyport
on:
  pull_request:
  merge_group:
  push:
    branches: [${branch}]
permissions:
  contents: read
  # For the code-scanning page.
  security-events: write
jobs:
  sallyport:
    runs-on: ubuntu-24.04
    steps:
      - uses: ${ACTIONS.checkout}
        with:
          # A pull request is compared with where it began.
          fetch-depth: 0
          persist-credentials: false
      - uses: ${ACTIONS.setupNode}
        with:
          node-version: 24
      - run: ${RUN}
      - uses: ${ACTIONS.uploadSarif}
        if: always() && hashFiles('sallyport.sarif') != ''
        with:
          sarif_file: sallyport.sarif
          category: sallyport
`;
    return { title: 'GitHub Actions', file: '.github/workflows/sallyport.yml', text, part: text };
  },
  gitlab: () => {
    const text = `sallyport:
  image: ${IMAGE}
  variables:
    # A merge request is compared with where it began.
    GIT_DEPTH: "0"
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script:
    - ${RUN}
  artifacts:
    when: always
    paths: [sallyport.sarif]
    reports:
      codequality: gl-code-quality-report.json
      junit: sallyport-junit.xml
`;
    return { title: 'GitLab CI', file: '.gitlab-ci.yml', text, merge: 'key', part: text };
  },
  jenkins: () => {
    const part = `stage('Sallyport') {
  agent { docker { image '${IMAGE}' } }
  environment { npm_config_cache = "\${env.WORKSPACE_TMP}/npm" }
  steps {
    sh '${fetchOf('CHANGE_TARGET')}'
    sh '${RUN}'
  }
  post {
    always {
      junit allowEmptyResults: true, testResults: 'sallyport-junit.xml'
      archiveArtifacts allowEmptyArchive: true, artifacts: 'sallyport.sarif'
    }
  }
}
`;
    const text = `pipeline {\n  agent none\n  stages {\n${indent(part, '    ')}  }\n}\n`;
    return { title: 'Jenkins', file: 'Jenkinsfile', text, part };
  },
  circleci: (_, branch) => {
    // It does not say where a pull request goes.
    const command = `${RUN} --base ${shellWord(`origin/${branch}`)}`;
    const job = `sallyport:
  docker:
    - image: ${IMAGE}
  steps:
    - checkout:
        # A change is compared with where it began.
        method: full
    - run: ${command.includes(': ') || /\s#|["\\]/.test(command) ? JSON.stringify(command) : command}
    - store_test_results:
        path: sallyport-junit.xml
    - store_artifacts:
        path: sallyport.sarif
`;
    const jobs = `jobs:\n${indent(job, '  ')}`;
    const part = `${jobs}workflows:\n  sallyport:\n    jobs: [sallyport]\n`;
    return { title: 'CircleCI', file: '.circleci/config.yml', text: `version: 2.1\n${part}`, part };
  },
  // UseNode@1 is the same installer and newer, but a preview (its task.json), and the published schema knows its name
  // and none of its inputs.
  azure: branch => {
    const part = `- checkout: self
  # A pull request is compared with where it began.
  fetchDepth: "0"
  persistCredentials: "false"
- task: NodeTool@0
  inputs:
    versionSpec: 24.x
- script: ${RUN}
  displayName: Sallyport
- task: PublishTestResults@2
  condition: succeededOrFailed()
  inputs:
    testResultsFormat: JUnit
    testResultsFiles: sallyport-junit.xml
`;
    const text = `trigger: [${branch}]
pr: ['*']
pool:
  vmImage: ubuntu-24.04
steps:
${indent(part, '  ')}`;
    return { title: 'Azure Pipelines', file: 'azure-pipelines.yml', text, part };
  },
  bitbucket: branch => {
    const step = `- step:
    name: Sallyport
    image: ${IMAGE}
    clone:
      depth: full
    script:
      - ${fetchOf('BITBUCKET_PR_DESTINATION_BRANCH')}
      - ${RUN}
    artifacts: [sallyport.sarif, sallyport-junit.xml]
`;
    const part = `pipelines:
  pull-requests:
    '**':
${indent(step, '      ')}  branches:
    ${branch}:
${indent(step, '      ')}`;
    return { title: 'Bitbucket Pipelines', file: 'bitbucket-pipelines.yml', text: part, part };
  },
  tekton: () => {
    const text = `apiVersion: tekton.dev/v1
kind: Task
metadata:
  name: sallyport
spec:
  params:
    - name: base
      type: string
      default: ""
      description: What a pull request is compared with, as origin/main (Pipelines as Code has it in target_branch); empty, as on a push, to scan everything
  workspaces:
    - name: source
      description: The clone, with its history
  steps:
    - name: sallyport
      image: ${IMAGE}
      workingDir: $(workspaces.source.path)
      env:
        - name: BASE
          value: $(params.base)
        - name: npm_config_cache
          value: /tmp/npm
      securityContext:
        allowPrivilegeEscalation: false
        runAsNonRoot: true
        runAsUser: 1000
        capabilities:
          drop: [ALL]
        seccompProfile:
          type: RuntimeDefault
      script: |
        #!/bin/sh
        set -eu
        if [ -n "$BASE" ]; then
          exec npx --yes sallyport@${version} diff "$BASE...HEAD"
        fi
        exec npx --yes sallyport@${version} scan
`;
    return { title: 'Tekton', file: '.tekton/sallyport.yaml', text, part: text };
  },
  woodpecker: branch => {
    const text = `when:
  - event: pull_request
  - event: push
    branch: ${branch}
clone:
  git:
    image: woodpeckerci/plugin-git
    settings:
      depth: 0
      partial: false
steps:
  - name: sallyport
    image: ${IMAGE}
    commands:
      - ${fetchOf('CI_COMMIT_TARGET_BRANCH')}
      - ${RUN}
`;
    return { title: 'Woodpecker', file: '.woodpecker/sallyport.yaml', text, part: text };
  },
  drone: branch => {
    const text = `kind: pipeline
type: docker
name: sallyport
trigger:
  branch: [${branch}]
  event: [pull_request, push]
steps:
  - name: sallyport
    image: ${IMAGE}
    commands:
      - ${fetchOf('DRONE_TARGET_BRANCH')}
      - ${RUN}
`;
    return { title: 'Drone', file: '.drone.yml', text, merge: 'document', part: text };
  },
};

export const PRE_COMMIT_FILE = '.pre-commit-config.yaml';

/** An entry of the list `repos` of pre-commit. */
export const preCommitEntry = `- repo: local
  hooks:
    - id: sallyport
      name: sallyport
      entry: sallyport scan --quiet
      language: node
      language_version: 24.11.1
      additional_dependencies: ['sallyport@${version}']
      files: \\.(ya?ml|json|tpl)$
      pass_filenames: false
`;
