/** `sallyport ci`: the right thing in a pipeline, read off its environment: a diff on pull requests, a scan on branches. */
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { valueAt } from '#kube/objects.ts';
import { safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { UsageError } from '../errors.ts';
import { tell } from '../output.ts';
import type { WantedReport } from '../reporting.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a CI system says of the run. */
export interface Pipeline {
  readonly system: string;
  /**
   * Names of what a pull request is to be merged into, the best first: the clone need not know all of them. None for a
   * branch.
   */
  readonly bases: readonly string[];
  /** The system checks out the target, and not the change, where nobody tells it otherwise. */
  readonly holdsTarget?: boolean;
  /** The form in which its log is read. */
  readonly log: string;
  /** What is written beside: formats and files. */
  readonly files: readonly WantedReport[];
  /** The file that the system shows as the run's summary. */
  readonly summary?: string;
}

const SARIF: WantedReport = { format: 'sarif', file: 'sallyport.sarif' };
const JUNIT: WantedReport = { format: 'junit', file: 'sallyport-junit.xml' };
/** GitHub keeps payloads below 25 MB. */
const MAX_EVENT = 25 * 1024 * 1024;

/**
 * Which system it is, and what it says of the run. Sources:
 *
 * - GitHub Actions: github/docs, content/actions/reference/workflows-and-actions/variables.md (GITHUB_ACTIONS: always true;
 *   GITHUB_BASE_REF: set for pull_request and pull_request_target only; GITHUB_EVENT_NAME, GITHUB_EVENT_PATH: the whole
 *   payload; GITHUB_STEP_SUMMARY), and of the payload GitHub's OpenAPI description, MergeGroup (base_sha: the parent
 *   commit of the group)
 * - GitLab: "Predefined CI/CD variables reference" (CI_MERGE_REQUEST_TARGET_BRANCH_SHA: empty but in pipelines for merged
 *   results; CI_MERGE_REQUEST_DIFF_BASE_SHA; CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA)
 * - Azure: "Use predefined variables" (System.PullRequest.TargetBranch: refs/heads/main for Azure Repos, main for GitHub)
 * - Bitbucket: "Variables and secrets" (BITBUCKET_PR_DESTINATION_BRANCH, and the first 12 digits of its commit)
 * - Jenkins: env-vars.html of a controller: branch-api (CHANGE_TARGET: change requests of multibranch projects only), core
 *   (JENKINS_URL, BUILD_TAG: jenkins-JOB-NUMBER)
 * - Woodpecker: docs/docs/20-usage/50-environment.md (CI, CI_COMMIT_TARGET_BRANCH: set for pull_request and
 *   pull_request_closed only)
 * - Drone: docs.drone.io "Reference" (DRONE_TARGET_BRANCH: of a push too; DRONE_PULL_REQUEST: empty but for pull requests)
 * - CircleCI: circleci/circleci-docs, docs/reference/modules/ROOT/pages/variables.adoc (CIRCLECI; CIRCLE_PULL_REQUEST is
 *   the address of the pull request, and no variable names its target; pipeline.event.github.pull_request.base.ref does,
 *   in pipelines of the GitHub App that a pull request started, and a file that names it is no valid one elsewhere)
 * - Tekton: tektoncd/pipeline, docs/variables.md: substitutions, and no variable of the environment, so the task has a
 *   parameter; Pipelines as Code fills in target_branch, which of a push is the branch itself ("Managing pipeline runs")
 */
export function pipelineOf(env: Environment): Pipeline {
  const value = (name: string) => (env[name] === '' ? undefined : env[name]);
  const branchOf = (name: string) => value(name)?.replace(/^refs\/heads\//, '');
  const listed = (...names: readonly (string | undefined)[]) => names.filter(name => name !== undefined);
  /** The branch of the remote; then the commit, where the system names it too. */
  const onto = (branch: string, commit = '') => {
    const target = branchOf(branch);
    return listed(target === undefined ? undefined : `origin/${target}`, value(commit));
  };
  const written = { log: 'text', files: [JUNIT, SARIF] };
  if (value('GITHUB_ACTIONS') !== undefined) {
    const summary = value('GITHUB_STEP_SUMMARY');
    return {
      system: 'GitHub Actions',
      bases:
        value('GITHUB_EVENT_NAME') === 'merge_group'
          ? listed(mergeGroupBase(value('GITHUB_EVENT_PATH')))
          : onto('GITHUB_BASE_REF'),
      ...(value('GITHUB_EVENT_NAME') === 'pull_request_target' ? { holdsTarget: true } : {}),
      log: 'github',
      files: [SARIF, JUNIT],
      ...(summary === undefined ? {} : { summary }),
    };
  }
  if (value('GITLAB_CI') !== undefined)
    return {
      system: 'GitLab CI',
      // A pipeline for merged results holds what came to the target since: that is not the change's doing.
      bases: listed(
        value('CI_MERGE_REQUEST_TARGET_BRANCH_SHA'),
        value('CI_MERGE_REQUEST_DIFF_BASE_SHA'),
        value('CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA'),
      ),
      log: 'text',
      files: [{ format: 'gitlab', file: 'gl-code-quality-report.json' }, JUNIT, SARIF],
    };
  if (value('TF_BUILD') !== undefined)
    return { system: 'Azure Pipelines', bases: onto('SYSTEM_PULLREQUEST_TARGETBRANCH'), ...written };
  if (value('BITBUCKET_BUILD_NUMBER') !== undefined)
    return {
      system: 'Bitbucket Pipelines',
      bases: onto('BITBUCKET_PR_DESTINATION_BRANCH', 'BITBUCKET_PR_DESTINATION_COMMIT'),
      ...written,
    };
  // JENKINS_URL is only there where an administrator has set it.
  if (value('JENKINS_URL') !== undefined || value('BUILD_TAG')?.startsWith('jenkins-') === true)
    return { system: 'Jenkins', bases: onto('CHANGE_TARGET'), ...written };
  if (value('CI') === 'woodpecker' || value('CI_PIPELINE_NUMBER') !== undefined)
    return { system: 'Woodpecker', bases: onto('CI_COMMIT_TARGET_BRANCH'), ...written };
  if (value('DRONE') !== undefined)
    return {
      system: 'Drone',
      // It names the target of a plain push too, which is the branch itself.
      bases: value('DRONE_PULL_REQUEST') === undefined ? [] : onto('DRONE_TARGET_BRANCH'),
      ...written,
    };
  // It does not say where a pull request goes: --base does.
  if (value('CIRCLECI') !== undefined) return { system: 'CircleCI', bases: [], ...written };
  return { system: 'no known CI system', bases: [], ...written };
}

/** The commit that a merge queue adds its group to. */
function mergeGroupBase(path: string | undefined): string | undefined {
  try {
    if (path === undefined || statSync(path).size > MAX_EVENT) return undefined;
    const event: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const base = valueAt(event, ['merge_group', 'base_sha']);
    return typeof base === 'string' && /^[0-9a-f]{40,64}$/.test(base) ? base : undefined;
  } catch {
    return undefined;
  }
}

/** What a pull request is compared with; undefined where there is no change to compare, so all is scanned. */
async function baseOf({ bases, holdsTarget = false, system }: Pipeline): Promise<Base | undefined> {
  const [first] = bases;
  if (first === undefined) return undefined;
  const { GitError, Repository } = await import('#sources/git/repository.ts');
  const repository = Repository.find(process.cwd());
  if (repository === undefined)
    throw new UsageError(
      `${system} says that this is a pull request into ${safe(first)}, and here is no Git repository to compare with`,
      'run it in the clone, with its .git folder',
    );
  const named = bases.find(one => repository.has(one)) ?? first;
  try {
    const head = repository.commit('HEAD');
    const parted = repository.mergeBase(repository.commit(named), head);
    if (parted !== head) return { named, parted: parted.slice(0, 12) };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const branch = /^origin\/(.+)$/.exec(named)?.[1];
    throw new UsageError(
      `${error.message}, so the change cannot be compared with it`,
      branch === undefined || repository.has(named)
        ? undefined
        : `git fetch --no-tags origin "+refs/heads/${safe(branch)}:refs/remotes/origin/${safe(branch)}" brings it`,
    );
  }
  if (holdsTarget)
    throw new UsageError(
      `what is checked out is ${safe(named)} itself, and not the pull request: nothing of it would be judged`,
      'pull_request_target checks out the target: use pull_request, or give actions/checkout the head of the pull request as ref',
    );
  return undefined;
}

interface Base {
  readonly named: string;
  /** The commit where the two parted. */
  readonly parted: string;
}

export async function run(parsed: Parsed): Promise<number> {
  if (parsed.operands.length > 0)
    throw new UsageError('ci takes no paths: it judges the folder that it runs in');
  const own = pipelineOf(process.env);
  const given = parsed.value('base');
  const pipeline = given === undefined ? own : { ...own, bases: [given], holdsTarget: false };
  const { system, bases, log, files, summary } = pipeline;
  const base = await baseOf(pipeline);
  if (!parsed.has('quiet')) {
    const what =
      base !== undefined
        ? `a pull request, compared with ${safe(base.named)}`
        : bases.length === 0
          ? 'a branch, so everything is scanned'
          : `all of it is in ${safe(bases[0]!)} already, so everything is scanned`;
    tell(`${system}: ${what}\n`);
  }
  const wanted: WantedReport[] = [{ format: log, file: undefined }, ...files];
  const markdown = (text: string) => {
    if (summary === undefined) return;
    try {
      appendFileSync(summary, text);
    } catch (error) {
      tell(`the summary could not be written: ${(error as Error).message}\n`);
    }
  };
  if (base === undefined) return (await import('./scan.ts')).scanInto(parsed, wanted, markdown);
  const { report } = await import('./diff.ts');
  const { compared } = await import('../compared.ts');
  return report(parsed, await compared(parsed, base.parted, 'HEAD'), wanted, markdown);
}
