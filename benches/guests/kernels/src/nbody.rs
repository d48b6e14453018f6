//! Five bodies that attract one another: scalar `f64` arithmetic and square roots.

#[derive(Clone, Copy)]
struct Body {
    pos: [f64; 3],
    vel: [f64; 3],
    mass: f64,
}

fn start() -> [Body; 5] {
    let body = |x: f64, y: f64, z: f64, vx: f64, vy: f64, vz: f64, mass: f64| Body {
        pos: [x, y, z],
        vel: [vx, vy, vz],
        mass,
    };
    [
        body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 40.0),
        body(5.0, -1.0, 0.1, 0.6, 2.8, -0.02, 0.04),
        body(8.3, 4.1, -0.4, -1.0, 1.8, 0.01, 0.01),
        body(12.9, -15.1, -0.2, 1.1, 0.9, -0.01, 0.002),
        body(15.4, -25.9, 0.2, 1.0, 0.6, -0.03, 0.002),
    ]
}

fn advance(bodies: &mut [Body; 5], dt: f64) {
    for i in 0..5 {
        for j in i + 1..5 {
            let mut d = [0.0; 3];
            for k in 0..3 {
                d[k] = bodies[i].pos[k] - bodies[j].pos[k];
            }
            let dist2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
            let mag = dt / (dist2 * dist2.sqrt());
            let (mi, mj) = (bodies[i].mass, bodies[j].mass);
            for k in 0..3 {
                bodies[i].vel[k] -= d[k] * mj * mag;
                bodies[j].vel[k] += d[k] * mi * mag;
            }
        }
    }
    for body in bodies {
        for k in 0..3 {
            body.pos[k] += dt * body.vel[k];
        }
    }
}

/// Moves the bodies `steps` times and gives the bits of their kinetic energy.
#[unsafe(no_mangle)]
extern "C" fn nbody(steps: u32) -> u64 {
    let mut bodies = start();
    for _ in 0..steps {
        advance(&mut bodies, 0.01);
    }
    let mut energy = 0.0;
    for b in &bodies {
        energy += 0.5 * b.mass * (b.vel[0] * b.vel[0] + b.vel[1] * b.vel[1] + b.vel[2] * b.vel[2]);
    }
    energy.to_bits()
}
