"""The names of numpy, scipy and astropy that a recipe may use, one by one.

A list of what is allowed, not of what is forbidden: a new release of a library cannot open a
door. Nothing here reads or writes files, unpickles, compiles, imports, downloads, takes code as
text, gives access to raw memory or changes the state of a library. Ufuncs, distributions, units
and constants are allowed by their type (see `skywright.flow.names`).
"""

from __future__ import annotations

__all__ = ["BUILTINS", "COSMOLOGY", "DISTRIBUTION", "LIBRARIES"]


def _split(names: str) -> frozenset[str]:
    return frozenset(names.split())


BUILTINS = _split(
    "len list tuple dict set range sum min max abs round sorted zip str int float bool"
)

# Methods and properties of a cosmology. Not: read, write, to_format, from_format, clone.
COSMOLOGY = _split(
    """H H0 Neff Ob Ob0 Ode Ode0 Odm Odm0 Ogamma Ogamma0 Ok Ok0 Om Om0 Onu Onu0 Otot Otot0 Tcmb
    Tcmb0 Tnu Tnu0 absorption_distance age angular_diameter_distance
    angular_diameter_distance_z1z2 arcsec_per_kpc_comoving arcsec_per_kpc_proper
    comoving_distance comoving_transverse_distance comoving_volume critical_density
    critical_density0 differential_comoving_volume distmod efunc h hubble_distance hubble_time
    inv_efunc is_flat kpc_comoving_per_arcmin kpc_proper_per_arcmin lookback_distance
    lookback_time luminosity_distance m_nu nu_relative_density scale_factor w"""
)

# Methods of a scipy distribution. Not: fit (finds an optimiser by its name), expect.
DISTRIBUTION = _split(
    """rvs pdf logpdf pmf logpmf cdf logcdf sf logsf ppf isf mean median var std stats entropy
    moment interval support"""
)

_LISTS = {
    "numpy": """pi e inf nan euler_gamma float32 float64 int8 int16 int32 int64 uint8
        uint16 uint32 uint64 complex64 complex128 bool_ str_ array asarray atleast_1d atleast_2d
        atleast_3d arange linspace logspace geomspace zeros ones full zeros_like ones_like
        full_like eye identity diag diagonal diagflat tri tril triu meshgrid indices vander copy
        concatenate stack vstack hstack dstack column_stack block split array_split hsplit
        vsplit dsplit tile repeat append insert delete resize reshape ravel transpose swapaxes
        moveaxis rollaxis expand_dims squeeze broadcast_to broadcast_arrays broadcast_shapes
        flip fliplr flipud roll rot90 pad trim_zeros unique unique_values sum prod mean average
        median std var min max amin amax ptp percentile quantile nansum nanprod nanmean
        nanmedian nanstd nanvar nanmin nanmax nanpercentile nanquantile nancumsum nancumprod
        cumsum cumprod cumulative_sum cumulative_prod diff ediff1d gradient count_nonzero all
        any argmin argmax nanargmin nanargmax argsort argwhere sort lexsort partition
        argpartition searchsorted nonzero flatnonzero where select choose compress extract take
        take_along_axis digitize bincount histogram histogram2d histogramdd histogram_bin_edges
        interp trapezoid convolve correlate corrcoef cov cross dot inner outer kron tensordot
        vdot einsum trace polyfit polyval polyadd polysub polymul polyder polyint poly roots
        clip around round fix real imag angle conj isclose allclose array_equal array_equiv isin
        isreal iscomplex isposinf isneginf nan_to_num unwrap i0 sinc size shape ndim union1d
        intersect1d setdiff1d setxor1d result_type can_cast promote_types ravel_multi_index
        unravel_index triu_indices tril_indices diag_indices ix_ hamming hanning blackman
        bartlett kaiser piecewise apply_along_axis fromfunction""",
    "numpy.random": """default_rng beta binomial chisquare choice dirichlet exponential f gamma
        geometric gumbel hypergeometric laplace logistic lognormal logseries multinomial
        multivariate_normal negative_binomial noncentral_chisquare noncentral_f normal pareto
        permutation poisson power rand randint randn random random_sample ranf rayleigh sample
        standard_cauchy standard_exponential standard_gamma standard_normal standard_t
        triangular uniform vonmises wald weibull zipf""",
    "numpy.linalg": """cholesky cond det eig eigh eigvals eigvalsh inv lstsq matrix_norm
        matrix_power matrix_rank multi_dot norm outer pinv qr slogdet solve svd svdvals trace
        vector_norm""",
    "numpy.fft": """fft ifft fft2 ifft2 fftn ifftn rfft irfft rfft2 irfft2 rfftn irfftn hfft
        ihfft fftfreq rfftfreq fftshift ifftshift""",
    "scipy.special": """comb factorial factorial2 perm logsumexp softmax log_softmax zeta
        polygamma multigammaln lmbda jn_zeros diric sinc bernoulli euler""",
    "scipy.stats": """anderson_ksamp binned_statistic binned_statistic_2d binned_statistic_dd
        binomtest bootstrap brunnermunzel chi2_contingency chisquare circmean circstd circvar
        cramervonmises cramervonmises_2samp cumfreq describe energy_distance entropy
        false_discovery_control fisher_exact gaussian_kde gmean hmean iqr jarque_bera kendalltau
        kruskal ks_1samp ks_2samp kstest kurtosis kurtosistest levene linregress mannwhitneyu
        median_abs_deviation mode moment normaltest norminvgauss pearsonr percentileofscore
        permutation_test pointbiserialr power_divergence rankdata relfreq scoreatpercentile sem
        shapiro sigmaclip siegelslopes skew skewtest spearmanr theilslopes tmax tmean tmin trim1
        trim_mean trimboth tstd ttest_1samp ttest_ind ttest_rel tvar variation
        wasserstein_distance wilcoxon zmap zscore""",
    "scipy.integrate": """cumulative_simpson cumulative_trapezoid dblquad fixed_quad nquad
        odeint quad romb simpson solve_bvp solve_ivp tplquad trapezoid""",
    "scipy.interpolate": """Akima1DInterpolator BSpline BarycentricInterpolator
        CloughTocher2DInterpolator CubicHermiteSpline CubicSpline InterpolatedUnivariateSpline
        LSQUnivariateSpline LinearNDInterpolator NearestNDInterpolator PPoly PchipInterpolator
        RBFInterpolator RectBivariateSpline RectSphereBivariateSpline RegularGridInterpolator
        SmoothBivariateSpline UnivariateSpline barycentric_interpolate griddata interp1d interpn
        krogh_interpolate make_interp_spline make_lsq_spline make_smoothing_spline
        pchip_interpolate splev splint splrep splprep""",
    "scipy.optimize": """bisect bracket brenth brentq curve_fit fixed_point fsolve
        isotonic_regression least_squares linear_sum_assignment lsq_linear minimize
        minimize_scalar newton nnls ridder root toms748""",
    "scipy.linalg": """block_diag cho_factor cho_solve cholesky circulant det eig eigh eigvals
        eigvalsh expm inv logm lstsq lu norm orth pinv polar qr schur solve solve_banded
        solve_toeplitz solve_triangular sqrtm svd svdvals toeplitz""",
    "scipy.fft": """dct dctn dst dstn fft fft2 fftfreq fftn fftshift fht hfft idct idctn idst
        idstn ifft ifft2 ifftn ifftshift ifht ihfft irfft irfft2 irfftn next_fast_len rfft rfft2
        rfftfreq rfftn""",
    "scipy.ndimage": """affine_transform binary_closing binary_dilation binary_erosion
        binary_fill_holes binary_opening black_tophat center_of_mass convolve convolve1d
        correlate correlate1d distance_transform_edt extrema find_objects gaussian_filter
        gaussian_filter1d gaussian_gradient_magnitude gaussian_laplace generate_binary_structure
        grey_closing grey_dilation grey_erosion grey_opening label labeled_comprehension laplace
        map_coordinates maximum maximum_filter mean median median_filter minimum minimum_filter
        percentile_filter rank_filter rotate shift sobel spline_filter standard_deviation
        sum_labels uniform_filter uniform_filter1d value_indices variance white_tophat zoom""",
    "scipy.signal": """butter convolve convolve2d correlate correlate2d deconvolve decimate
        detrend fftconvolve filtfilt find_peaks firwin get_window hilbert lfilter lombscargle
        medfilt medfilt2d oaconvolve peak_prominences peak_widths periodogram resample
        savgol_filter sosfilt sosfiltfilt spectrogram welch wiener""",
    "scipy.spatial": "KDTree cKDTree",  # not ConvexHull: Qhull's options may name files
    "scipy.spatial.distance": "cdist pdist squareform",
    "scipy.constants": "",
    "astropy.constants": "",
    "astropy.units": """Magnitude Quantity Unit Dex Decibel brightness_temperature
        dimensionless_angles doppler_optical doppler_radio doppler_relativistic parallax
        pixel_scale plate_scale spectral spectral_density temperature temperature_energy
        thermodynamic_temperature zero_point_flux""",
    "astropy.cosmology": """FlatLambdaCDM LambdaCDM FlatwCDM wCDM Flatw0waCDM w0waCDM
        Flatw0wzCDM w0wzCDM FlatwpwaCDM wpwaCDM default_cosmology z_at_value Planck13 Planck15
        Planck18 WMAP1 WMAP3 WMAP5 WMAP7 WMAP9""",
    "astropy.table": "Column MaskedColumn QTable Table dstack hstack join setdiff unique vstack",
    "astropy.coordinates": """Angle Distance Galactic ICRS FK5 Latitude Longitude SkyCoord
        angular_separation match_coordinates_sky position_angle search_around_sky""",
    "astropy.time": "Time TimeDelta",
    "astropy.stats": """akaike_info_criterion bayesian_blocks bayesian_info_criterion
        binned_binom_proportion binom_conf_interval biweight_location biweight_midcovariance
        biweight_midvariance biweight_scale cdf_from_intervals circcorrcoef circmean circmoment
        circvar freedman_bin_width gaussian_fwhm_to_sigma gaussian_sigma_to_fwhm histogram
        interval_overlap_length jackknife_resampling jackknife_stats knuth_bin_width kuiper
        kuiper_two mad_std median_absolute_deviation poisson_conf_interval rayleightest
        scott_bin_width sigma_clip sigma_clipped_stats signal_to_noise_oir_ccd vonmisesmle vtest""",
    "astropy.convolution": """AiryDisk2DKernel Box1DKernel Box2DKernel CustomKernel
        Gaussian1DKernel Gaussian2DKernel Moffat2DKernel RickerWavelet2DKernel Ring2DKernel
        Tophat2DKernel convolve interpolate_replace_nans""",
    "astropy.modeling.models": """AiryDisk2D BlackBody Box1D Box2D BrokenPowerLaw1D Chebyshev1D
        Const1D Const2D Cosine1D Disk2D Drude1D Ellipse2D Exponential1D
        ExponentialCutoffPowerLaw1D Gaussian1D Gaussian2D GeneralSersic2D Hermite1D
        KingProjectedAnalytic1D Legendre1D Linear1D LogParabola1D Logarithmic1D Lorentz1D
        Lorentz2D Moffat1D Moffat2D NFW Planar2D Plummer1D Polynomial1D Polynomial2D PowerLaw1D
        RickerWavelet1D Ring2D Schechter1D Sersic1D Sersic2D Sine1D SmoothlyBrokenPowerLaw1D
        Tangent1D Trapezoid1D Voigt1D""",
    "astropy.timeseries": "LombScargle BoxLeastSquares",
}

LIBRARIES = {module: _split(names) for module, names in _LISTS.items()}
