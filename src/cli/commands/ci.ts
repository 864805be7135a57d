/** `sallyport ci`: the right thing in a pipeline, read off its environment: a diff on pull requests, a scan on branches. */
import { appendFileSync } from 'node:fs';
import { safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { UsageError } from '../errors.ts';
import { tell } from '../output.ts';
import type { WantedReport } from '../reporting.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a CI system says of the run. */
export interface Pipeline {
  readonly system: string;
  /** The commit or branch that a pull request is to be merged into; undefined for a branch. */
  readonly base?: string;
  /** The form in which its log is read. */
  readonly log: string;
  /** What is written beside: formats and files. */
  readonly files: readonly WantedReport[];
  /** The file that the system shows as the run's summary. */
  readonly summary?: string;
}

const SARIF: WantedReport = { format: 'sarif', file: 'sallyport.sarif' };
const JUNIT: WantedReport = { format: 'junit', file: 'sallyport-junit.xml' };

/**
 * Sources: GitHub "Default environment variables", GitLab "Predefined CI/CD variables", Azure "Predefined variables",
 * Bitbucket "Variables and secrets", Jenkins branch-api (CHANGE_TARGET), Woodpecker and Drone environment references.
 */
export function pipelineOf(env: Environment): Pipeline {
  const has = (name: string) => (env[name] === undefined || env[name] === '' ? undefined : env[name]);
  const withBase = (base: string | undefined) => (base === undefined ? {} : { base });
  if (has('GITHUB_ACTIONS') !== undefined) {
    const target = has('GITHUB_BASE_REF');
    const summary = has('GITHUB_STEP_SUMMARY');
    return {
      system: 'GitHub Actions',
      ...withBase(target === undefined ? undefined : `origin/${target}`),
      log: 'github',
      files: [SARIF, JUNIT],
      ...(summary === undefined ? {} : { summary }),
    };
  }
  if (has('GITLAB_CI') !== undefined)
    return {
      system: 'GitLab CI',
      ...withBase(has('CI_MERGE_REQUEST_DIFF_BASE_SHA')),
      log: 'text',
      files: [{ format: 'gitlab', file: 'gl-code-quality-report.json' }, JUNIT, SARIF],
    };
  const targets: readonly (readonly [system: string, mark: string, target: string])[] = [
    ['Azure Pipelines', 'TF_BUILD', 'SYSTEM_PULLREQUEST_TARGETBRANCH'],
    ['Bitbucket Pipelines', 'BITBUCKET_BUILD_NUMBER', 'BITBUCKET_PR_DESTINATION_BRANCH'],
    ['Jenkins', 'JENKINS_URL', 'CHANGE_TARGET'],
    ['Woodpecker', 'CI_PIPELINE_NUMBER', 'CI_COMMIT_TARGET_BRANCH'],
    ['Drone', 'DRONE', 'DRONE_TARGET_BRANCH'],
    // It does not say where a pull request goes.
    ['CircleCI', 'CIRCLECI', ''],
  ];
  for (const [system, mark, target] of targets) {
    if (has(mark) === undefined) continue;
    // Drone names the target of a plain push too, which is the branch itself.
    const isPush = system === 'Drone' && has('DRONE_PULL_REQUEST') === undefined;
    const branch = isPush ? undefined : has(target)?.replace(/^refs\/heads\//, '');
    return {
      system,
      ...withBase(branch === undefined ? undefined : `origin/${branch}`),
      log: 'text',
      files: [JUNIT, SARIF],
    };
  }
  return { system: 'no known CI system', log: 'text', files: [JUNIT, SARIF] };
}

export async function run(parsed: Parsed): Promise<number> {
  if (parsed.operands.length > 0)
    throw new UsageError('ci takes no paths: it judges the folder that it runs in');
  const pipeline = pipelineOf(process.env);
  const { system, base, log, files, summary } = pipeline;
  if (!parsed.has('quiet'))
    tell(
      `${system}: ${base === undefined ? 'a branch, so everything is scanned' : `a pull request, compared with ${safe(base)}`}\n`,
    );
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
  const { parting, report } = await import('./diff.ts');
  const { compared } = await import('../compared.ts');
  return report(parsed, await compared(parsed, await parting(base, 'HEAD'), 'HEAD'), wanted, markdown);
}
