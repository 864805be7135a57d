/** What a team's own pod security profiles let pass: nobody needs to hear of it, and it is listed as excepted. */
import { type Check, idOf } from '#check/check.ts';
import type { Exception, ExceptionRules } from '#check/exception.ts';
import { type CustomProfile, permittedIn } from '#decide/pod-security/custom/custom.ts';
import { podsOf } from '#decide/pod-security/pods.ts';
import type { KubeObject, Path } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import type { Place } from './scan.ts';

/** A profile, and where it is written. */
export type PlacedProfile = CustomProfile & {
  readonly file: string;
  readonly line: number;
  readonly column: number;
};

export const CUSTOM_PROFILE = 'pod-security/custom-profile';

/**
 * The exception that a profile makes of a place: where it expressly allows what a level of the standards would not, no
 * other check of pod security has a say. Checks that nobody may except keep theirs.
 */
export function permittedBy(
  world: World,
  profiles: readonly PlacedProfile[],
  { nonBypassable }: ExceptionRules,
): (place: Place) => Exception | undefined {
  const known = new Map<
    KubeObject,
    readonly { readonly profile: PlacedProfile; readonly paths: readonly Path[] }[]
  >();
  const fixed = (check: Check) => check.nonBypassable === true || nonBypassable.includes(idOf(check));
  return ({ id, check, declared, path }) => {
    const { object } = declared;
    if (check.practice !== 'pod-security' || id === CUSTOM_PROFILE || fixed(check)) return undefined;
    let permitted = known.get(object);
    if (permitted === undefined) {
      const views = world.viewsOf(declared);
      permitted = podsOf(world, object).pods.flatMap(pod => {
        const [one, ...others] = views.map(view => permittedIn(view.world, pod, profiles));
        // What one environment does not permit is not excepted.
        if (one === undefined || others.some(other => other?.profile !== one.profile)) return [];
        return [{ ...one, profile: one.profile as PlacedProfile }];
      });
      known.set(object, permitted);
    }
    const by = permitted.find(({ paths }) => paths.some(one => one.every((step, i) => path[i] === step)));
    if (by === undefined) return undefined;
    const { name, reason, owner, file, line, column } = by.profile;
    return {
      check: id,
      reason: `profile ${name}: ${reason}`,
      owner: owner ?? file,
      source: 'configuration',
      file,
      line,
      column,
      scope: {},
    };
  };
}
